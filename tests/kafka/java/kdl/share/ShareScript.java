package kdl.share;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import kdl.wire.Asker;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ConsumerGroupDescribeRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ReadShareGroupStateRequestData;
import org.apache.kafka.common.message.ReadShareGroupStateResponseData;
import org.apache.kafka.common.message.ShareFetchRequestData;
import org.apache.kafka.common.message.ShareFetchResponseData;
import org.apache.kafka.common.message.ShareGroupHeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/**
 * The same requests about share groups to any broker; prints every answer, with ids named by the
 * order in which they are seen, and lists sorted. Two brokers that do the same print the same.
 */
public final class ShareScript extends ShareRequests {
    private final String bootstrap;
    private Asker broker;

    private ShareScript(String bootstrap) throws IOException {
        this.bootstrap = bootstrap;
        broker = new Asker(bootstrap);
    }

    public static void main(String[] args) throws Exception {
        if (args.length < 1) {
            System.err.println("usage: ShareScript BOOTSTRAP [PART]...");
            System.exit(2);
        }
        ShareScript script = new ShareScript(args[0]);
        List<String> parts = args.length > 1 ? Arrays.asList(args).subList(1, args.length)
            : List.of("members", "states", "fetch", "acks", "renew", "sessions", "offsets", "others");
        script.begin();
        for (String part : parts) {
            System.out.println("== " + part);
            switch (part) {
                case "members" -> script.members();
                case "states" -> script.states();
                case "fetch" -> script.fetches();
                case "acks" -> script.acks();
                case "renew" -> script.renewals();
                case "sessions" -> script.sessions();
                case "offsets" -> script.offsets();
                case "others" -> script.others();
                case "after" -> script.after();
                default -> throw new IllegalArgumentException(part);
            }
        }
        System.exit(0);
    }

    // --- asking ------------------------------------------------------------------------------------

    private void begin() throws Exception {
        for (int i = 0; i < 600; i++) {
            FindCoordinatorResponseData found = (FindCoordinatorResponseData) broker.ask(
                new FindCoordinatorRequestData().setCoordinatorKeys(List.of("g")), 6);
            if (found.coordinators().get(0).errorCode() == 0 && areLoaded()) {
                break;
            }
            Thread.sleep(100);
        }
        for (String name : List.of("s1", "s2", "s3", "s4", "s5", "s6")) {
            topic(name, name.equals("s2") ? 3 : 1);
        }
    }

    /** Right after its start a broker does not know yet which groups it coordinates. */
    private boolean areLoaded() throws IOException {
        DescribeGroupsRequestData all = new DescribeGroupsRequestData().setGroups(List.of("", "members", "states", "fetch", "acks", "renew", "sessions",
            "offsets", "others", "trimmed", "plain", "nowhere"));
        return ((DescribeGroupsResponseData) broker.ask(all, 5)).groups().stream().allMatch(group -> group.errorCode() == 0);
    }

    private void topic(String name, int partitions) throws IOException {
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(10000);
        request.topics().add(new CreateTopicsRequestData.CreatableTopic().setName(name).setNumPartitions(partitions)
            .setReplicationFactor((short) 1));
        CreateTopicsResponseData made = (CreateTopicsResponseData) broker.ask(request, 7);
        Uuid id = made.topics().find(name).topicId();
        if (id.equals(Uuid.ZERO_UUID)) {
            org.apache.kafka.common.message.MetadataResponseData known = (org.apache.kafka.common.message.MetadataResponseData) broker.ask(
                new org.apache.kafka.common.message.MetadataRequestData().setTopics(List.of(
                    new org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic().setName(name))), 12);
            id = known.topics().find(name).topicId();
        }
        topics.put(name, id);
        broker.name(id, "topic-" + name);
    }

    private ApiMessage ask(String what, ApiMessage request, int version) throws Exception {
        return broker.ask(what, request, version);
    }

    /** A connection of its own, on which sessions begin. */
    private Asker apart() throws IOException {
        Asker other = new Asker(bootstrap);
        topics.forEach((name, id) -> other.name(id, "topic-" + name));
        return other;
    }

    private void produce(String topic, int... counts) throws IOException {
        for (int count : counts) {
            SimpleRecord[] records = new SimpleRecord[count];
            for (int i = 0; i < count; i++) {
                records[i] = new SimpleRecord(1_700_000_000_000L + i, null, ("value-" + i).getBytes(StandardCharsets.UTF_8));
            }
            ProduceRequestData request = new ProduceRequestData().setAcks((short) -1).setTimeoutMs(10000);
            request.topicData().add(new ProduceRequestData.TopicProduceData().setTopicId(topics.get(topic)).setPartitionData(List.of(
                new ProduceRequestData.PartitionProduceData().setIndex(0)
                    .setRecords(MemoryRecords.withRecords(Compression.NONE, records)))));
            broker.ask(request, 13);
        }
    }

    private void config(String group, String name, String value) throws IOException {
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
        IncrementalAlterConfigsRequestData.AlterConfigsResource resource = new IncrementalAlterConfigsRequestData.AlterConfigsResource()
            .setResourceType((byte) 32).setResourceName(group);
        resource.configs().add(new IncrementalAlterConfigsRequestData.AlterableConfig().setName(name).setConfigOperation((byte) 0)
            .setValue(value));
        request.resources().add(resource);
        broker.ask(request, 1);
    }

    /** Joins, and goes on until the group's partitions are there and nothing changes any more. */
    private int join(String group, String member, String... names) throws Exception {
        int epoch = 0;
        int parts = 0;
        for (int i = 0; i < 200; i++) {
            ShareGroupHeartbeatResponseData answer = (ShareGroupHeartbeatResponseData) broker.ask(
                i == 0 ? beat(group, member, 0, names) : beat(group, member, epoch), 1);
            if (answer.errorCode() != 0) {
                throw new IllegalStateException("heartbeat: " + answer);
            }
            epoch = answer.memberEpoch();
            if (answer.assignment() != null) {
                parts = answer.assignment().topicPartitions().size();
            }
            if (parts == names.length) {
                return epoch;
            }
            Thread.sleep(50);
        }
        throw new IllegalStateException(member + " is not assigned " + String.join(", ", names));
    }

    /** Fetches on a session that goes on, until some records have come; prints that answer. */
    private int take(Asker on, String what, String group, String member, int epoch, String topic) throws Exception {
        for (int i = 0; i < 60; i++) {
            ShareFetchRequestData request = epoch == 0 ? fetch(group, member, 0, topic, 0) : session(group, member, epoch);
            ShareFetchResponseData answer = (ShareFetchResponseData) on.ask(request, 2);
            epoch++;
            if (answer.errorCode() != 0 || acquired(answer) > 0) {
                on.tell(what, answer, 2);
                return epoch;
            }
            Thread.sleep(50);
        }
        System.out.println(what + ": nothing came");
        return epoch;
    }

    private static int acquired(ShareFetchResponseData answer) {
        return answer.responses().stream().flatMap(topic -> topic.partitions().stream())
            .mapToInt(partition -> partition.acquiredRecords().size()).sum();
    }

    private void settled(String what, String group, String topic) throws Exception {
        broker.askSettled(what, offsetsOf(group, topic, 0), 1);
    }

    // --- parts -------------------------------------------------------------------------------------

    private void members() throws Exception {
        String g = "members";
        ask("nameless group", beat("", "m1", 0, "s1"), 1);
        ask("nameless member", beat(g, "", 0, "s1"), 1);
        ask("no topics", beat(g, "m1", 0), 1);
        ask("empty topics", beat(g, "m1", 0).setSubscribedTopicNames(List.of()), 1);
        ask("empty rack", beat(g, "m1", 0, "s1").setRackId(""), 1);
        ask("epoch -2", beat(g, "m1", -2), 1);
        ask("leave no group", beat(g, "m1", -1), 1);
        ask("epoch without group", beat(g, "m1", 5), 1);
        ask("join", beat(g, "m1", 0, "s1"), 1);
        int epoch = join(g, "m1", "s1");
        ask("join again", beat(g, "m1", 0, "s1"), 1);
        ask("unknown member", beat(g, "m9", 5), 1);
        ask("leave unknown", beat(g, "m9", -1), 1);
        ask("epoch too high", beat(g, "m1", epoch + 1), 1);
        ask("epoch before", beat(g, "m1", epoch - 1), 1);
        ask("empty heartbeat", beat(g, "m1", epoch), 1);
        ask("describe", describe(g), 1);
        ask("describe", describe(g, "nowhere", ""), 1);
        ask("classic describe", new DescribeGroupsRequestData().setGroups(List.of(g)), 6);
        ask("consumer describe", new ConsumerGroupDescribeRequestData().setGroupIds(List.of(g)), 1);
        ask("unknown topic", beat(g, "m1", epoch, "s1", "s99"), 1);
        int second = join(g, "m2", "s1", "s2");
        ask("describe two", describe(g), 1);
        ask("rack", beat(g, "m2", second).setRackId("r"), 1);
        ask("delete with members", delete(g), 2);
        ask("leave", beat(g, "m1", -1), 1);
        ask("leave again", beat(g, "m1", -1), 1);
        ask("leave", beat(g, "m2", -1), 1);
        ask("describe empty", describe(g), 1);
        ask("list", new ListGroupsRequestData().setTypesFilter(List.of("share")), 5);
        ask("list empty", new ListGroupsRequestData().setTypesFilter(List.of("Share")).setStatesFilter(List.of("Empty")), 5);
        ask("list all", new ListGroupsRequestData(), 4);
        ask("delete", delete(g, "nowhere"), 2);
        ask("describe deleted", describe(g), 1);
    }

    private void states() throws Exception {
        String g = "states";
        String key = g + ":" + id("s1") + ":0";
        for (int i = 0; i < 100; i++) {
            FindCoordinatorResponseData found = (FindCoordinatorResponseData) broker.ask(
                new FindCoordinatorRequestData().setKeyType((byte) 2).setCoordinatorKeys(List.of(key)), 6);
            ReadShareGroupStateResponseData asked = (ReadShareGroupStateResponseData) broker.ask(read(g, "s1", 0, 0), 0);
            int code = asked.results().isEmpty() ? 0 : asked.results().get(0).partitions().get(0).errorCode();
            if (found.coordinators().get(0).errorCode() == 0 && code != 14 && code != 15 && code != 16) {
                break;
            }
            Thread.sleep(100);
        }
        for (String bad : List.of("", "g", "g:x:0", g + ":" + id("s1") + ":x", g + ":" + id("s1"), ":" + id("s1") + ":0",
            "a:b:" + id("s1") + ":0")) {
            FindCoordinatorResponseData found = (FindCoordinatorResponseData) broker.ask(
                new FindCoordinatorRequestData().setKeyType((byte) 2).setCoordinatorKeys(List.of(bad)), 6);
            System.out.println("coordinator of a key like " + bad.replace(id("s1").toString(), "ID") + ": "
                + found.coordinators().get(0).errorCode());
        }
        ask("read nothing", read(g, "s1", 0, 0), 0);
        ask("read bad partition", read(g, "s1", -1, 0), 0);
        ask("read unknown topic", read(g, "s99", 0, 0), 0);
        ask("read no topic", new ReadShareGroupStateRequestData().setGroupId(g), 0);
        ask("summary of nothing", summary(g, "s1", 0, 0), 1);
        ask("write nothing", write(g, "s1", 0, 0, 0, -1), 1);
        ask("delete nothing", forgetState(g, "s1", 0), 0);
        ask("initialize nameless", initialize("", "s1", 0, 1, 5), 0);
        ask("initialize bad partition", initialize(g, "s1", -1, 1, 5), 0);
        ask("initialize no partition", initialize(g, "s1", 99, 1, 5), 0);
        ask("initialize", initialize(g, "s1", 0, 1, 5), 0);
        ask("initialize again", initialize(g, "s1", 0, 1, 6), 0);
        ask("initialize old epoch", initialize(g, "s1", 0, 0, 7), 0);
        ask("read", read(g, "s1", 0, 0), 0);
        ask("write", write(g, "s1", 1, 0, 6, 3, 10, 19, 0, 2, 20, 29, 2, 1), 1);
        ask("write overlapping", write(g, "s1", 1, 0, -1, -1, 15, 24, 4, 3), 1);
        ask("read", read(g, "s1", 0, 0), 0);
        ask("write as leader before", write(g, "s1", 1, -1, 7, 2, 30, 30, 2, 1), 1);
        ask("write old state", write(g, "s1", 0, 0, 8, 2), 1);
        ask("write new state", write(g, "s1", 5, 0, 8, 2), 0);
        ask("read as next leader", read(g, "s1", 0, 3), 0);
        ask("write as old leader", write(g, "s1", 1, 1, 9, 2), 1);
        ask("read as old leader", read(g, "s1", 0, 1), 0);
        ask("summary", summary(g, "s1", 0, 3), 1);
        ask("summary", summary(g, "s1", 0, 1), 0);
        ask("write start beyond batches", write(g, "s1", 1, 3, 28, 0, 28, 35, 2, 1), 1);
        ask("read", read(g, "s1", 0, -1), 0);
        ask("initialize new epoch", initialize(g, "s1", 0, 9, -1), 0);
        ask("read", read(g, "s1", 0, 3), 0);
        ask("delete", forgetState(g, "s1", 0), 0);
        ask("read deleted", read(g, "s1", 0, 3), 0);
        ask("initialize for after", initialize(g, "s1", 0, 2, 4), 0);
        for (int i = 0; i < 12; i++) {
            broker.ask(write(g, "s1", 2, 0, 4 + i, i, 20 + i, 25 + i, 2, 1), 1);
        }
        ask("read", read(g, "s1", 0, 0), 0);
    }

    private void fetches() throws Exception {
        String g = "fetch";
        config(g, "share.auto.offset.reset", "earliest");
        produce("s2", 5, 3, 2);
        ask("no group", new ShareFetchRequestData().setMemberId("m").setMaxWaitMs(0), 2);
        ask("no member", session(g, "", 0), 2);
        ask("long member", session(g, "m".repeat(37), 0), 2);
        ask("no session", session(g, "m1", 3), 2);
        ask("close no session", session(g, "m1", -1), 2);
        join(g, "m1", "s2");
        Asker one = apart();
        int epoch = take(one, "first", g, "m1", 0, "s2");
        one.ask("nothing new", session(g, "m1", epoch++), 2);
        one.ask("more partitions", fetch(g, "m1", epoch++, "s2", 1, 2, 7).setMaxWaitMs(WAIT_MS), 2);
        one.ask(fetch(g, "m1", epoch++, "s99", 0), 2); // an id of no topic fails all of the request on Kafka (-1)
        one.ask(session(g, "m1", epoch++), 2);
        one.ask("forget some", forget(forget(session(g, "m1", epoch++), "s99", 0), "s2", 7), 2);
        one.ask("no records wanted", session(g, "m1", epoch++).setMaxRecords(0), 2);
        one.ask("no bytes wanted", session(g, "m1", epoch++).setMaxBytes(0), 2);
        produce("s2", 4, 4);
        one.ask("two batches, one record", session(g, "m1", epoch++).setMaxRecords(1).setBatchSize(1), 2);
        one.ask("the other", session(g, "m1", epoch++).setMaxRecords(1).setBatchSize(1), 2);
        produce("s2", 10, 10);
        one.ask("runs of three", session(g, "m1", epoch++).setBatchSize(3), 2);
        produce("s2", 10);
        one.ask("four records, no more", session(g, "m1", epoch++).setMaxRecords(4).setShareAcquireMode((byte) 1), 2);
        one.ask("the rest", session(g, "m1", epoch++).setMaxRecords(100).setShareAcquireMode((byte) 1), 2);
        one.ask("release all", say(fetch(g, "m1", epoch++, "s2", 0), with(0, 47, 2)).setMaxRecords(0), 2);
        one.ask("again, three of them", session(g, "m1", epoch++).setMaxRecords(3).setBatchSize(3), 2);
        one.ask("again, the next three", session(g, "m1", epoch++).setMaxRecords(3).setShareAcquireMode((byte) 1), 2);
        one.ask("again, all", session(g, "m1", epoch++), 2);
        one.ask("old version", session(g, "m1", epoch++), 1);
        one.ask("close", session(g, "m1", -1), 2);
        ask("leave", beat(g, "m1", -1), 1);
    }

    private void acks() throws Exception {
        String g = "acks";
        config(g, "share.auto.offset.reset", "earliest");
        config(g, "share.delivery.count.limit", "3");
        produce("s3", 10, 1, 1, 1);
        join(g, "m1", "s3");
        join(g, "m2", "s3");
        Asker one = apart();
        Asker two = apart();
        int epoch = take(one, "first", g, "m1", 0, "s3");
        int other = 0;
        two.ask("nothing for another", fetch(g, "m2", other++, "s3", 0), 2);
        one.ask("upside down", acknowledge(g, "m1", epoch++, "s3", 0, with(3, 2, 1)), 2);
        one.ask("backwards", acknowledge(g, "m1", epoch++, "s3", 0, with(5, 5, 1), with(3, 3, 1)), 2);
        one.ask("no type", acknowledge(g, "m1", epoch++, "s3", 0, with(0, 0)), 2);
        one.ask("too few types", acknowledge(g, "m1", epoch++, "s3", 0, with(0, 3, 1, 1)), 2);
        one.ask("bad type", acknowledge(g, "m1", epoch++, "s3", 0, with(0, 0, 9)), 2);
        one.ask("renewal unsaid", acknowledge(g, "m1", epoch++, "s3", 0, with(0, 0, 4)), 2);
        one.ask("renewal too early", acknowledge(g, "m1", epoch++, "s3", 0, with(0, 0, 4)), 1);
        one.ask("beyond the end", acknowledge(g, "m1", epoch++, "s3", 0, with(99, 99, 1)), 2);
        one.ask("across the end", acknowledge(g, "m1", epoch++, "s3", 0, with(12, 13, 1)), 2);
        one.ask("unknown partition", acknowledge(g, "m1", epoch++, "s3", 7, with(0, 0, 1)), 2);
        one.ask("unknown topic", acknowledge(g, "m1", epoch++, "s99", 0, with(0, 0, 1)), 2);
        one.ask("nothing said", acknowledge(g, "m1", epoch++, "s3", 0), 2);
        two.ask("of another", acknowledge(g, "m2", other++, "s3", 0, with(0, 0, 1)), 2);
        one.ask("accept some", acknowledge(g, "m1", epoch++, "s3", 0, with(2, 3, 1)), 2);
        one.ask("accept again", acknowledge(g, "m1", epoch++, "s3", 0, with(2, 3, 1)), 2);
        one.ask("all or nothing", acknowledge(g, "m1", epoch++, "s3", 0, with(0, 0, 1), with(2, 2, 1)), 2);
        one.ask("several types", acknowledge(g, "m1", epoch++, "s3", 0, with(4, 7, 1, 2, 3, 0)), 2);
        settled("start stands", g, "s3");
        one.ask("accept the first", acknowledge(g, "m1", epoch++, "s3", 0, with(0, 1, 1)), 2);
        settled("start moves", g, "s3");
        one.ask("below the start", acknowledge(g, "m1", epoch++, "s3", 0, with(0, 4, 1)), 2);
        other = take(two, "released", g, "m2", other, "s3");
        two.ask("release", acknowledge(g, "m2", other++, "s3", 0, with(5, 5, 2)), 2);
        epoch = take(one, "released again", g, "m1", epoch, "s3");
        one.ask("release the last time", acknowledge(g, "m1", epoch++, "s3", 0, with(5, 5, 2)), 2);
        settled("archived", g, "s3");
        two.ask("nothing left", session(g, "m2", other++), 2);
        one.ask("piggyback", say(fetch(g, "m1", epoch++, "s3", 0), with(8, 9, 1), with(10, 10, 2)), 2);
        one.ask("bad piggyback", say(fetch(g, "m1", epoch++, "s3", 0).setMaxRecords(0), with(8, 9, 1)), 2);
        one.ask("release the rest", acknowledge(g, "m1", epoch++, "s3", 0, with(11, 12, 2)), 2);
        settled("start at ten", g, "s3");
        ask("leave", beat(g, "m1", -1), 1);
        ask("leave", beat(g, "m2", -1), 1);
    }

    private void renewals() throws Exception {
        String g = "renew";
        config(g, "share.auto.offset.reset", "earliest");
        produce("s4", 3);
        join(g, "m1", "s4");
        Asker one = apart();
        int epoch = take(one, "first", g, "m1", 0, "s4");
        one.ask("renew", acknowledge(g, "m1", epoch++, "s4", 0, with(0, 1, 4)).setIsRenewAck(true), 2);
        one.ask("renew some, accept others", acknowledge(g, "m1", epoch++, "s4", 0, with(0, 2, 4, 1, 4)).setIsRenewAck(true), 2);
        one.ask("renew what is accepted", acknowledge(g, "m1", epoch++, "s4", 0, with(1, 1, 4)).setIsRenewAck(true), 2);
        one.ask("renew by fetch", say(fetch(g, "m1", epoch++, "s4", 0), with(0, 0, 4)).setIsRenewAck(true), 2);
        one.ask("renew by fetch alone", say(fetch(g, "m1", epoch, "s4", 0), with(0, 0, 4)).setIsRenewAck(true).setMaxBytes(0)
            .setMinBytes(0).setMaxRecords(0).setMaxWaitMs(0), 2);
        config(g, "share.renew.acknowledge.enable", "false");
        one.ask("renew switched off", acknowledge(g, "m1", epoch + 1, "s4", 0, with(0, 0, 4)).setIsRenewAck(true), 2);
        ask("leave", beat(g, "m1", -1), 1);
    }

    private void sessions() throws Exception {
        String g = "sessions";
        config(g, "share.auto.offset.reset", "earliest");
        produce("s5", 2, 2);
        join(g, "m1", "s5");
        Asker one = apart();
        int epoch = take(one, "first", g, "m1", 0, "s5");
        one.ask("fetch out of turn", session(g, "m1", epoch + 1), 2);
        one.ask("acknowledge out of turn", acknowledge(g, "m1", epoch + 1, "s5", 0, with(0, 0, 1)), 2);
        one.ask("acknowledge first", acknowledge(g, "m1", 0, "s5", 0, with(0, 0, 1)), 2);
        one.ask("acknowledge unknown", acknowledge(g, "m7", 1, "s5", 0, with(0, 0, 1)), 2);
        one.ask("first fetch that acknowledges", say(fetch(g, "m1", 0, "s5", 0), with(0, 0, 1)), 2);
        one.ask("goes on", session(g, "m1", epoch++), 2);
        one.ask("first again", fetch(g, "m1", 0, "s5", 0), 2);
        one.ask("acknowledge in the new one", acknowledge(g, "m1", 1, "s5", 0, with(0, 1, 1)), 2);
        one.ask("close with acknowledgement", acknowledge(g, "m1", -1, "s5", 0, with(2, 2, 1)), 2);
        one.ask("closed", acknowledge(g, "m1", -1, "s5", 0, with(3, 3, 1)), 2);
        epoch = take(one, "comes again", g, "m1", 0, "s5");
        one.ask("close with fetch", say(fetch(g, "m1", -1, "s5", 0), with(3, 3, 2)), 2);
        epoch = take(one, "and again", g, "m1", 0, "s5");
        one.ask("accept", acknowledge(g, "m1", epoch, "s5", 0, with(3, 3, 1)), 2);
        settled("all accepted", g, "s5");
        ask("leave", beat(g, "m1", -1), 1);
    }

    private void offsets() throws Exception {
        String g = "offsets";
        config(g, "share.auto.offset.reset", "earliest");
        produce("s6", 5, 5);
        ask("describe no group", offsetsOf("nowhere", "s6", 0), 1);
        ask("describe nameless", offsetsOf("", "s6", 0), 1);
        ask("alter no group", move("nowhere", "s6", 3), 0);
        ask("delete no group", drop("nowhere", "s6"), 0);
        join(g, "m1", "s6");
        Asker one = apart();
        int epoch = take(one, "first", g, "m1", 0, "s6");
        one.ask("accept", acknowledge(g, "m1", epoch++, "s6", 0, with(0, 2, 1)), 2);
        settled("describe", g, "s6");
        ask("describe", offsetsOf(g, "s6", 0), 0);
        ask("describe others", offsetsOf(g, "s1", 0), 1);
        ask("describe unknown", offsetsOf(g, "s99", 0), 1);
        ask("describe all", offsetsOf(g, null), 1);
        ask("alter with members", move(g, "s6", 3), 0);
        ask("delete with members", drop(g, "s6"), 0);
        one.ask("close", session(g, "m1", -1), 2);
        ask("leave", beat(g, "m1", -1), 1);
        ask("alter", move(g, "s6", 7), 0);
        ask("alter unknown partition", move(g, "s6", 7, 8), 0);
        ask("alter unknown topic", move(g, "s99", 7), 0);
        ask("alter another topic", move(g, "s1", 0), 0);
        ask("describe", offsetsOf(g, null), 1);
        join(g, "m1", "s6");
        Asker two = apart();
        epoch = take(two, "from there", g, "m1", 0, "s6");
        two.ask("accept", acknowledge(g, "m1", epoch, "s6", 0, with(7, 9, 1)), 2);
        settled("describe", g, "s6");
        two.ask("close", session(g, "m1", -1), 2);
        ask("leave", beat(g, "m1", -1), 1);
        ask("delete unknown", drop(g, "s99"), 0);
        ask("delete", drop(g, "s6", "s1"), 0);
        ask("describe", offsetsOf(g, null), 1);
        ask("delete again", drop(g, "s6"), 0);
    }

    private void others() throws Exception {
        String g = "others";
        join(g, "m1", "s1");
        ask("classic join", new JoinGroupRequestData().setGroupId(g).setMemberId("").setProtocolType("consumer")
            .setSessionTimeoutMs(30000).setRebalanceTimeoutMs(30000), 9);
        ask("consumer heartbeat", new ConsumerGroupHeartbeatRequestData().setGroupId(g).setMemberId("c1").setMemberEpoch(0)
            .setRebalanceTimeoutMs(20000).setSubscribedTopicNames(List.of("s1")).setTopicPartitions(List.of()), 1);
        ask("commit", new OffsetCommitRequestData().setGroupId(g).setMemberId("").setGenerationIdOrMemberEpoch(-1).setTopics(List.of(
            new OffsetCommitRequestData.OffsetCommitRequestTopic().setName("s1").setPartitions(List.of(
                new OffsetCommitRequestData.OffsetCommitRequestPartition().setPartitionIndex(0).setCommittedOffset(1))))), 9);
        ask("fetch offsets", new OffsetFetchRequestData().setGroups(List.of(new OffsetFetchRequestData.OffsetFetchRequestGroup()
            .setGroupId(g).setTopics(null))), 9);
        ask("leave", beat(g, "m1", -1), 1);
        ask("consumer group joins", new ConsumerGroupHeartbeatRequestData().setGroupId("plain").setMemberId("c1").setMemberEpoch(0)
            .setRebalanceTimeoutMs(20000).setSubscribedTopicNames(List.of("s1")).setTopicPartitions(List.of()), 1);
        ask("share heartbeat to it", beat("plain", "m1", 0, "s1"), 1);
        ask("share describe of it", describe("plain"), 1);
        ask("share offsets of it", offsetsOf("plain", "s1", 0), 1);
        ask("share fetch of it", fetch("plain", "m1", 0, "s1", 0), 2);
        DeleteRecordsRequestData gone = new DeleteRecordsRequestData().setTimeoutMs(10000).setTopics(List.of(
            new DeleteRecordsRequestData.DeleteRecordsTopic().setName("s6").setPartitions(List.of(
                new DeleteRecordsRequestData.DeleteRecordsPartition().setPartitionIndex(0).setOffset(6)))));
        ask("delete records", gone, 2);
        config("trimmed", "share.auto.offset.reset", "earliest");
        join("trimmed", "m1", "s6");
        Asker one = apart();
        take(one, "what is left", "trimmed", "m1", 0, "s6");
        ask("leave", beat("trimmed", "m1", -1), 1);
    }

    /** After a restart: what was kept is there. */
    private void after() throws Exception {
        ask("list", new ListGroupsRequestData().setTypesFilter(List.of("share")), 5);
        ask("describe", describe("acks", "fetch", "offsets"), 1);
        ask("offsets", offsetsOf("acks", "s3", 0), 1);
        ask("offsets", offsetsOf("fetch", "s2", 0), 1);
        ask("read", read("states", "s1", 0, 0), 0);
        join("acks", "m3", "s3");
        Asker one = apart();
        take(one, "what is left", "acks", "m3", 0, "s3");
    }
}
