package kdl.groups;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import kdl.wire.Asker;
import kdl.wire.RawConnection;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupDescribeRequestData;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.utils.Utils;

/**
 * The same requests about groups to any broker; prints every answer, with ids named by the order in
 * which they are seen, and lists sorted. Two brokers that do the same print the same.
 */
public final class GroupScript {
    private final String bootstrap;
    private final Asker broker;
    private final Map<String, Uuid> topics = new LinkedHashMap<>();
    private boolean quiet;

    private GroupScript(String bootstrap) throws IOException {
        this.bootstrap = bootstrap;
        broker = new Asker(bootstrap);
    }

    public static void main(String[] args) throws Exception {
        if (args.length < 1) {
            System.err.println("usage: GroupScript BOOTSTRAP [PART]...");
            System.exit(2);
        }
        GroupScript script = new GroupScript(args[0]);
        List<String> parts = args.length > 1 ? Arrays.asList(args).subList(1, args.length)
            : List.of("classic", "static", "offsets", "errors", "consumer", "reconcile", "mixed");
        script.begin();
        for (String part : parts) {
            System.out.println("== " + part);
            switch (part) {
                case "classic" -> script.classic();
                case "static" -> script.statics();
                case "offsets" -> script.offsets();
                case "errors" -> script.errors();
                case "consumer" -> script.consumer();
                case "reconcile" -> script.reconcile();
                case "mixed" -> script.mixed();
                default -> throw new IllegalArgumentException(part);
            }
        }
        System.exit(0);
    }

    // --- asking ------------------------------------------------------------------------------------

    private void begin() throws Exception {
        for (int i = 0; i < 600; i++) {
            FindCoordinatorResponseData found = (FindCoordinatorResponseData) broker.ask(
                new FindCoordinatorRequestData().setCoordinatorKeys(List.of("g")), 4);
            if (found.coordinators().get(0).errorCode() == 0 && areLoaded()) {
                break;
            }
            Thread.sleep(100);
        }
        topic("t1", 3);
        topic("t2", 4);
    }

    /** Right after its start a broker does not know yet which groups it coordinates. */
    private boolean areLoaded() throws IOException {
        DescribeGroupsRequestData all = describe("", "classic", "static", "simple", "errors", "consumer", "cstatic", "noid", "two",
            "regex", "mixed", "nowhere");
        return ((DescribeGroupsResponseData) broker.ask(all, 5)).groups().stream().allMatch(group -> group.errorCode() == 0);
    }

    private void topic(String name, int partitions) throws IOException {
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(10000);
        request.topics().add(new CreateTopicsRequestData.CreatableTopic().setName(name).setNumPartitions(partitions)
            .setReplicationFactor((short) 1));
        CreateTopicsResponseData made = (CreateTopicsResponseData) broker.ask(request, 7);
        Uuid id = made.topics().find(name).topicId();
        topics.put(name, id);
        broker.name(id, "topic-" + name);
    }

    private ApiMessage ask(String what, ApiMessage request, int version) throws Exception {
        return tell(what, broker.ask(request, version), version);
    }

    /** Asks on a connection of its own; the answer may take until another request is made. */
    private CompletableFuture<ApiMessage> askApart(ApiMessage request, int version) {
        return CompletableFuture.supplyAsync(() -> {
            try (RawConnection own = RawConnection.toFirstOf(bootstrap)) {
                return own.ask(request, version);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private ApiMessage tell(String what, ApiMessage answer, int version) throws Exception {
        return quiet ? answer : broker.tell(what, answer, version);
    }

    // --- requests ----------------------------------------------------------------------------------

    private static byte[] subscription(List<String> topics) {
        return Utils.toArray(ConsumerProtocol.serializeSubscription(new Subscription(topics)));
    }

    private static JoinGroupRequestData join(String group, String member, String instance, String... protocols) {
        JoinGroupRequestData request = new JoinGroupRequestData().setGroupId(group).setMemberId(member)
            .setGroupInstanceId(instance).setProtocolType("consumer").setSessionTimeoutMs(30000).setRebalanceTimeoutMs(30000);
        for (String protocol : protocols) {
            request.protocols().add(new JoinGroupRequestData.JoinGroupRequestProtocol().setName(protocol)
                .setMetadata(subscription(List.of("t1"))));
        }
        return request;
    }

    private static SyncGroupRequestData sync(String group, String member, String instance, int generation) {
        return new SyncGroupRequestData().setGroupId(group).setMemberId(member).setGroupInstanceId(instance)
            .setGenerationId(generation).setProtocolType("consumer").setProtocolName("range");
    }

    private static SyncGroupRequestData assign(SyncGroupRequestData sync, String member, int... partitions) {
        List<TopicPartition> parts = new ArrayList<>();
        for (int partition : partitions) {
            parts.add(new TopicPartition("t1", partition));
        }
        sync.assignments().add(new SyncGroupRequestData.SyncGroupRequestAssignment().setMemberId(member)
            .setAssignment(Utils.toArray(ConsumerProtocol.serializeAssignment(new Assignment(parts)))));
        return sync;
    }

    private static HeartbeatRequestData beat(String group, String member, int generation) {
        return new HeartbeatRequestData().setGroupId(group).setMemberId(member).setGenerationId(generation);
    }

    private static LeaveGroupRequestData leave(String group, String... membersAndInstances) {
        LeaveGroupRequestData request = new LeaveGroupRequestData().setGroupId(group);
        for (int i = 0; i < membersAndInstances.length; i += 2) {
            request.members().add(new LeaveGroupRequestData.MemberIdentity().setMemberId(membersAndInstances[i])
                .setGroupInstanceId(membersAndInstances[i + 1]).setReason("the test wants it"));
        }
        return request;
    }

    private OffsetCommitRequestData commit(String group, String member, int generation, String topic, int partition) {
        return new OffsetCommitRequestData().setGroupId(group).setMemberId(member).setGenerationIdOrMemberEpoch(generation)
            .setTopics(List.of(new OffsetCommitRequestData.OffsetCommitRequestTopic().setName(topic)
                .setTopicId(topics.getOrDefault(topic, new Uuid(7, 7)))
                .setPartitions(List.of(new OffsetCommitRequestData.OffsetCommitRequestPartition().setPartitionIndex(partition)
                    .setCommittedOffset(42).setCommittedLeaderEpoch(3).setCommittedMetadata("m")))));
    }

    private OffsetFetchRequestData fetch(String group, String member, int epoch, String topic, Integer... partitions) {
        OffsetFetchRequestData.OffsetFetchRequestGroup asked = new OffsetFetchRequestData.OffsetFetchRequestGroup()
            .setGroupId(group).setMemberId(member).setMemberEpoch(epoch);
        asked.setTopics(topic == null ? null : List.of(new OffsetFetchRequestData.OffsetFetchRequestTopics().setName(topic)
            .setTopicId(topics.getOrDefault(topic, new Uuid(7, 7))).setPartitionIndexes(List.of(partitions))));
        return new OffsetFetchRequestData().setGroups(List.of(asked));
    }

    private static OffsetDeleteRequestData forget(String group, String topic, int... partitions) {
        OffsetDeleteRequestData.OffsetDeleteRequestTopic asked = new OffsetDeleteRequestData.OffsetDeleteRequestTopic().setName(topic);
        for (int partition : partitions) {
            asked.partitions().add(new OffsetDeleteRequestData.OffsetDeleteRequestPartition().setPartitionIndex(partition));
        }
        OffsetDeleteRequestData request = new OffsetDeleteRequestData().setGroupId(group);
        request.topics().add(asked);
        return request;
    }

    private static ConsumerGroupHeartbeatRequestData heartbeat(String group, String member, int epoch) {
        return new ConsumerGroupHeartbeatRequestData().setGroupId(group).setMemberId(member).setMemberEpoch(epoch);
    }

    private static ConsumerGroupHeartbeatRequestData enter(String group, String member, String... topics) {
        return heartbeat(group, member, 0).setRebalanceTimeoutMs(20000).setSubscribedTopicNames(List.of(topics))
            .setTopicPartitions(List.of());
    }

    private List<ConsumerGroupHeartbeatRequestData.TopicPartitions> owned(String topic, Integer... partitions) {
        return List.of(new ConsumerGroupHeartbeatRequestData.TopicPartitions().setTopicId(topics.get(topic))
            .setPartitions(List.of(partitions)));
    }

    private static DescribeGroupsRequestData describe(String... groups) {
        return new DescribeGroupsRequestData().setGroups(List.of(groups)).setIncludeAuthorizedOperations(true);
    }

    private static ConsumerGroupDescribeRequestData describeConsumer(String... groups) {
        return new ConsumerGroupDescribeRequestData().setGroupIds(List.of(groups)).setIncludeAuthorizedOperations(true);
    }

    private static DeleteGroupsRequestData delete(String... groups) {
        return new DeleteGroupsRequestData().setGroupsNames(List.of(groups));
    }

    // --- parts -------------------------------------------------------------------------------------

    private void classic() throws Exception {
        String g = "classic";
        ask("join unknown", join(g, "nobody", null, "range"), 9);
        ask("join nameless", join("", "", null, "range"), 9);
        ask("join short session", join(g, "", null, "range").setSessionTimeoutMs(1), 9);
        String id = ((JoinGroupResponseData) ask("join", join(g, "", null, "range", "sticky"), 9)).memberId();
        ask("join with id", join(g, id, null, "range", "sticky"), 9);
        ask("describe completing", describe(g), 6);
        ask("commit completing", commit(g, id, 1, "t1", 0), 8);
        ask("sync wrong generation", sync(g, id, null, 7), 5);
        ask("sync wrong protocol", sync(g, id, null, 1).setProtocolName("sticky"), 5);
        ask("sync", assign(sync(g, id, null, 1), id, 0, 1, 2), 5);
        ask("sync again", sync(g, id, null, 1), 5);
        ask("heartbeat", beat(g, id, 1), 4);
        ask("heartbeat wrong generation", beat(g, id, 0), 4);
        ask("heartbeat unknown", beat(g, "nobody", 1), 4);
        ask("heartbeat no group", beat("nowhere", id, 1), 4);
        ask("describe stable", describe(g), 6);
        ask("describe stable", describe(g).setIncludeAuthorizedOperations(false), 5);
        ask("commit", commit(g, id, 1, "t1", 0), 8);
        ask("commit", commit(g, id, 1, "t1", 1), 10);
        ask("commit wrong generation", commit(g, id, 7, "t1", 0), 9);
        ask("commit unknown", commit(g, "nobody", 1, "t1", 0), 9);
        ask("commit as nobody", commit(g, "", -1, "t1", 0), 9);
        ask("commit of another", commit(g, id, -1, "t1", 0), 9);
        ask("delete with members", delete(g, "nowhere", ""), 2);
        ask("forget what is read", forget(g, "t1", 0, 99), 0);
        ask("forget what is not read", forget(g, "t2", 0, 99), 0);
        ask("forget unknown topic", forget(g, "t9", 0), 0);
        ask("consumer describe", describeConsumer(g, "nowhere", ""), 1);
        ask("join stranger", join(g, "", null, "cooperative-sticky"), 9);
        CompletableFuture<ApiMessage> second = askApart(join(g, "", null, "sticky"), 3);
        while (((org.apache.kafka.common.message.HeartbeatResponseData) broker.ask(beat(g, id, 1), 4)).errorCode() == 0) {
            Thread.sleep(5);
        }
        ask("heartbeat in rebalance", beat(g, id, 1), 4);
        ask("describe preparing", describe(g), 6);
        ask("commit preparing", commit(g, id, 1, "t1", 0), 8);
        JoinGroupResponseData joined = (JoinGroupResponseData) ask("join again", join(g, id, null, "range", "sticky"), 9);
        String other = ((JoinGroupResponseData) tell("second", second.get(), 3)).memberId();
        ask("list by state", new ListGroupsRequestData().setStatesFilter(List.of("completingRebalance")), 5);
        ask("list by type", new ListGroupsRequestData().setTypesFilter(List.of("CLASSIC")), 5);
        ask("list none", new ListGroupsRequestData().setTypesFilter(List.of("consumer")), 5);
        ask("sync as leader", assign(sync(g, id, null, joined.generationId()).setProtocolName("sticky"), id, 0), 5);
        ask("sync as other", sync(g, other, null, joined.generationId()).setProtocolName("sticky"), 5);
        ask("leave", leave(g, other, null, "nobody", null, id, null), 5);
        ask("leave again", leave(g, other, null), 5);
        ask("leave no group", leave("nowhere", other, null), 5);
        ask("describe empty", describe(g), 6);
        ask("fetch", fetch(g, null, -1, null), 9);
        ask("forget", forget(g, "t1", 0, 2, 99), 0);
        ask("forget no group", forget("nowhere", "t1", 0), 0);
        ask("forget nameless", forget("", "t1", 0), 0);
        ask("fetch what is left", fetch(g, null, -1, null), 9);
        ask("delete", delete(g), 2);
        ask("describe deleted", describe(g, ""), 6);
        ask("describe deleted", describe(g), 5);
        ask("fetch deleted", fetch(g, null, -1, "t1", 0, 1), 9);
        ask("list", new ListGroupsRequestData(), 4);
    }

    private void statics() throws Exception {
        String g = "static";
        JoinGroupResponseData first = (JoinGroupResponseData) ask("join", join(g, "", "a", "range"), 9);
        ask("sync", assign(sync(g, first.memberId(), "a", 1), first.memberId(), 0, 1), 5);
        JoinGroupResponseData again = (JoinGroupResponseData) ask("join again", join(g, "", "a", "range"), 9);
        ask("old member", beat(g, first.memberId(), 1).setGroupInstanceId("a"), 4);
        ask("old member without instance", beat(g, first.memberId(), 1), 4);
        ask("sync again", sync(g, again.memberId(), "a", 1), 5);
        JoinGroupResponseData third = (JoinGroupResponseData) ask("join once more", join(g, "", "a", "range"), 8);
        ask("sync once more", sync(g, third.memberId(), "a", 1), 5);
        ask("commit as old", commit(g, again.memberId(), 1, "t1", 0).setGroupInstanceId("a"), 8);
        ask("commit", commit(g, third.memberId(), 1, "t1", 0).setGroupInstanceId("a"), 8);
        ask("commit unknown instance", commit(g, third.memberId(), 1, "t1", 0).setGroupInstanceId("b"), 8);
        ask("describe", describe(g), 6);
        ask("leave as another", leave(g, "nobody", "a", "", "b"), 5);
        ask("leave", leave(g, "", "a"), 5);
        ask("describe empty", describe(g), 6);
        ask("delete", delete(g), 2);
    }

    private void offsets() throws Exception {
        ask("simple", commit("simple", "", -1, "t1", 0), 8);
        ask("simple by id", commit("simple", "", -1, "t2", 1), 10);
        ask("simple unknown partition", commit("simple", "", -1, "t1", 99), 8);
        ask("simple unknown topic", commit("simple", "", -1, "t9", 0), 8);
        ask("simple unknown id", commit("simple", "", -1, "t9", 0), 10);
        ask("simple of a member", commit("simple", "nobody", -1, "t1", 1), 8);
        ask("generation without group", commit("nowhere", "x", 5, "t1", 0), 8);
        ask("generation without group", commit("nowhere", "x", 5, "t1", 0), 9);
        OffsetCommitRequestData large = commit("simple", "", -1, "t1", 2);
        large.topics().get(0).partitions().get(0).setCommittedMetadata("x".repeat(4097));
        ask("large metadata", large, 8);
        ask("nameless group", commit("", "", -1, "t1", 0), 8);
        ask("fetch nameless", fetch("", null, -1, "t1", 0), 9);
        ask("fetch", fetch("simple", null, -1, "t1", 0, 1, 2, 99), 9);
        ask("fetch by id", fetch("simple", null, -1, "t2", 0, 1), 10);
        ask("fetch unknown id", fetch("simple", null, -1, "t9", 0), 10);
        ask("fetch all", fetch("simple", null, -1, null), 9);
        ask("fetch no group", fetch("nowhere", null, -1, "t1", 0), 9);
        ask("fetch all of no group", fetch("nowhere", null, -1, null), 9);
        ask("list", new ListGroupsRequestData(), 5);
        ask("describe", describe("simple"), 6);
        ask("delete", delete("simple", ""), 2);
        ask("list", new ListGroupsRequestData(), 5);
        ask("for the tools", commit("simple2", "", -1, "t1", 0), 9);
        ask("for the tools", commit("simple2", "", -1, "t1", 1), 9);
    }

    private void errors() throws Exception {
        String g = "errors";
        ask("nameless group", enter("", "m", "t1"), 1);
        ask("blank group", enter(" ", "m", "t1"), 1);
        ask("nameless member", enter(g, "", "t1"), 1);
        ask("nameless instance", enter(g, "m", "t1").setInstanceId(""), 1);
        ask("nameless rack", enter(g, "m", "t1").setRackId(""), 1);
        ask("no timeout", enter(g, "m", "t1").setRebalanceTimeoutMs(-1), 1);
        ask("no partitions", enter(g, "m", "t1").setTopicPartitions(null), 1);
        ask("owned", enter(g, "m", "t1").setTopicPartitions(owned("t1", 0)), 1);
        ask("no topics", enter(g, "m").setSubscribedTopicNames(null), 1);
        ask("epoch -2 without instance", heartbeat(g, "m", -2), 1);
        ask("epoch -3", heartbeat(g, "m", -3), 1);
        ask("assignor", enter(g, "m", "t1").setServerAssignor("foo"), 1);
        for (String regex : List.of("[", "(", ")", "*", "a**", "a{2,1}", "\\", "(?<n", "a\\8", "[z-a]", "(?P<1>a)", "a{1001}", "[[:foo:]]")) {
            ask("regex " + regex, enter(g, "m").setSubscribedTopicNames(null).setSubscribedTopicRegex(regex), 1);
        }
        ask("no group", heartbeat(g, "m", 5), 1);
        ask("leave no group", heartbeat(g, "m", -1), 1);
        ask("list", new ListGroupsRequestData(), 5);
    }

    private void consumer() throws Exception {
        String g = "consumer";
        ask("join", enter(g, "m1", "t1"), 1);
        ask("join again", enter(g, "m1", "t1"), 1);
        ask("unknown member", heartbeat(g, "m9", 5), 1);
        ask("leave unknown", heartbeat(g, "m9", -1), 1);
        ask("epoch too high", heartbeat(g, "m1", 3), 1);
        ask("epoch too low", heartbeat(g, "m1", 1), 1);
        ask("empty heartbeat", heartbeat(g, "m1", 2).setTopicPartitions(owned("t1", 0, 1, 2)), 1);
        ask("describe", describeConsumer(g), 1);
        ask("describe", describeConsumer(g), 0);
        ask("classic describe", describe(g), 6);
        ask("classic describe", describe(g), 5);
        ask("list", new ListGroupsRequestData(), 5);
        ask("list by type", new ListGroupsRequestData().setTypesFilter(List.of("Consumer")).setStatesFilter(List.of("STABLE")), 5);
        ask("commit", commit(g, "m1", 2, "t1", 0), 9);
        ask("commit by id", commit(g, "m1", 2, "t1", 1), 10);
        ask("commit old version", commit(g, "m1", 2, "t1", 0), 8);
        ask("commit old epoch", commit(g, "m1", 1, "t1", 0), 9);
        ask("commit future epoch", commit(g, "m1", 3, "t1", 0), 9);
        ask("commit unknown member", commit(g, "m9", 2, "t1", 0), 9);
        ask("commit as nobody", commit(g, "", -1, "t1", 0), 9);
        ask("fetch", fetch(g, "m1", 2, "t1", 0, 1, 2), 9);
        ask("fetch by id", fetch(g, "m1", 2, "t1", 0), 10);
        ask("fetch stale", fetch(g, "m1", 1, "t1", 0), 9);
        ask("fetch unknown member", fetch(g, "m9", 2, "t1", 0), 9);
        ask("fetch as nobody", fetch(g, null, -1, "t1", 0), 9);
        ask("fetch all", fetch(g, null, -1, null), 9);
        ask("delete", delete(g), 2);
        ask("forget what is read", forget(g, "t1", 0), 0);
        ask("forget what is not read", forget(g, "t2", 0), 0);
        ask("add a topic", heartbeat(g, "m1", 2).setSubscribedTopicNames(List.of("t1", "t2")).setTopicPartitions(owned("t1", 0, 1, 2)), 1);
        ask("drop a topic", heartbeat(g, "m1", 3).setSubscribedTopicNames(List.of("t2")), 1);
        ask("still has it", heartbeat(g, "m1", 3).setTopicPartitions(owned("t1", 0)), 1);
        ask("has given it up", heartbeat(g, "m1", 3).setTopicPartitions(owned("t2", 0, 1, 2, 3)), 1);
        ask("range", heartbeat(g, "m1", 4).setServerAssignor("range").setTopicPartitions(owned("t2", 0, 1, 2, 3)), 1);
        ask("describe", describeConsumer(g), 1);
        ask("leave", heartbeat(g, "m1", -1), 1);
        ask("describe empty", describeConsumer(g), 1);
        ask("delete", delete(g), 2);
        ask("describe deleted", describeConsumer(g), 1);

        ask("static join", enter("cstatic", "s1", "t1").setInstanceId("i"), 1);
        ask("static second", enter("cstatic", "s2", "t1").setInstanceId("i"), 1);
        ask("static leave for a while", heartbeat("cstatic", "s1", -2).setInstanceId("i"), 1);
        ask("describe", describeConsumer("cstatic"), 1);
        ask("static back", enter("cstatic", "s2", "t1").setInstanceId("i"), 1);
        ask("static fenced", heartbeat("cstatic", "s1", 2).setInstanceId("i"), 1);
        ask("unknown instance", heartbeat("cstatic", "s2", 2).setInstanceId("j"), 1);
        ask("static heartbeat", heartbeat("cstatic", "s2", 2).setInstanceId("i").setTopicPartitions(owned("t1", 0, 1, 2)), 1);
        ask("static leave", heartbeat("cstatic", "s2", -1).setInstanceId("i"), 1);
        ask("describe", describeConsumer("cstatic"), 1);
        ask("join without id", enter("noid", "", "t1"), 0);
    }

    private ConsumerGroupHeartbeatResponseData beatUntilAssigned(String what, ConsumerGroupHeartbeatRequestData request) throws Exception {
        ConsumerGroupHeartbeatResponseData answer = null;
        for (int i = 0; i < 500; i++) {
            answer = (ConsumerGroupHeartbeatResponseData) broker.ask(request, 1);
            if (answer.errorCode() != 0 || answer.assignment() != null) {
                break;
            }
            Thread.sleep(20);
        }
        return (ConsumerGroupHeartbeatResponseData) tell(what, answer, 1);
    }

    /** Patterns are resolved beside the requests. */
    private void awaitEpoch(String group, int epoch) throws Exception {
        for (int i = 0; i < 500; i++) {
            ConsumerGroupDescribeResponseData answer = (ConsumerGroupDescribeResponseData) broker.ask(describeConsumer(group), 1);
            if (answer.groups().get(0).groupEpoch() >= epoch) {
                return;
            }
            Thread.sleep(20);
        }
    }

    private void reconcile() throws Exception {
        String g = "two";
        ask("a joins", enter(g, "a", "t2"), 1);
        ask("b joins", enter(g, "b", "t2"), 1);
        ask("describe", describeConsumer(g), 1);
        ask("b waits", heartbeat(g, "b", 3).setTopicPartitions(List.of()), 1);
        ask("a is told to revoke", heartbeat(g, "a", 2).setTopicPartitions(owned("t2", 0, 1, 2, 3)), 1);
        ask("describe", describeConsumer(g), 1);
        ask("commit while revoking", commit(g, "a", 2, "t2", 3), 9);
        ask("a still has them", heartbeat(g, "a", 2).setTopicPartitions(owned("t2", 0, 1, 2, 3)), 1);
        ask("b still waits", heartbeat(g, "b", 3), 1);
        ask("a has given up", heartbeat(g, "a", 2).setTopicPartitions(owned("t2", 0, 1)), 1);
        ask("commit of an earlier epoch", commit(g, "a", 2, "t2", 0), 9);
        ask("commit of an earlier epoch, not had", commit(g, "a", 2, "t2", 3), 9);
        ask("the answer was lost", heartbeat(g, "a", 2).setTopicPartitions(owned("t2", 0, 1)), 1);
        ask("b gets them", heartbeat(g, "b", 3), 1);
        ask("describe", describeConsumer(g), 1);
        ask("a leaves", heartbeat(g, "a", -1), 1);
        ask("b gets the rest", heartbeat(g, "b", 3).setTopicPartitions(owned("t2", 2, 3)), 1);
        topic("t3", 2);
        ask("subscribe to a new one", heartbeat(g, "b", 4).setSubscribedTopicNames(List.of("t2", "t4")), 1);
        topic("t4", 2);
        beatUntilAssigned("a topic came", heartbeat(g, "b", 5));
        CreatePartitionsRequestData grow = new CreatePartitionsRequestData().setTimeoutMs(10000);
        grow.topics().add(new CreatePartitionsRequestData.CreatePartitionsTopic().setName("t4").setCount(5));
        broker.ask(grow, 3);
        beatUntilAssigned("a topic grew", heartbeat(g, "b", 6));
        ask("describe", describeConsumer(g), 1);

        ConsumerGroupHeartbeatResponseData regex = (ConsumerGroupHeartbeatResponseData) ask("regex joins", enter("regex", "r", "t1").setSubscribedTopicNames(null).setSubscribedTopicRegex("t[34]|__consumer_offset."), 1);
        regex = beatUntilAssigned("regex is resolved", heartbeat("regex", "r", regex.memberEpoch()));
        ask("describe", describeConsumer("regex"), 1);
        regex = (ConsumerGroupHeartbeatResponseData) ask("names too",
            heartbeat("regex", "r", regex.memberEpoch()).setSubscribedTopicNames(List.of("t1")), 1);
        ask("no regex", heartbeat("regex", "r", regex.memberEpoch()).setSubscribedTopicRegex(""), 1);
        ask("given up", heartbeat("regex", "r", regex.memberEpoch()).setTopicPartitions(owned("t1", 0, 1, 2)), 1);
        ask("a named group", enter("regex", "s", "t1").setSubscribedTopicNames(null).setSubscribedTopicRegex("(?<a>t)[1]"), 1);
        awaitEpoch("regex", 5);
        ask("describe", describeConsumer("regex"), 1);
    }

    private void mixed() throws Exception {
        String g = "mixed";
        quiet = true;
        String c1 = ((JoinGroupResponseData) ask("", join(g, "", null, "range", "sticky"), 9)).memberId();
        ask("", join(g, c1, null, "range", "sticky"), 9);
        ask("", assign(sync(g, c1, null, 1), c1, 0, 1, 2), 5);
        quiet = false;
        ask("a consumer joins a classic group", enter(g, "m", "t1"), 1);
        ask("describe", describeConsumer(g), 1);
        ask("classic describe", describe(g), 6);
        ask("classic heartbeat", beat(g, c1, 1), 4);
        JoinGroupRequestData again = join(g, c1, null, "range", "sticky");
        JoinGroupResponseData joined = (JoinGroupResponseData) ask("classic joins", again, 9);
        ask("classic syncs", sync(g, c1, null, joined.generationId()), 5);
        ask("describe", describeConsumer(g), 1);
        ask("classic heartbeat", beat(g, c1, joined.generationId()), 4);
        ask("wrong generation", beat(g, c1, 77), 4);
        joined = (JoinGroupResponseData) ask("classic joins", again, 9);
        ask("classic syncs", sync(g, c1, null, joined.generationId()), 5);
        ask("wrong protocol", sync(g, c1, null, joined.generationId()).setProtocolName("sticky"), 5);
        ask("consumer", heartbeat(g, "m", joined.generationId()).setTopicPartitions(List.of()), 1);
        ask("describe", describeConsumer(g), 1);
        ask("classic commits", commit(g, c1, joined.generationId(), "t1", 0), 8);
        ask("classic commits wrong", commit(g, c1, 77, "t1", 0), 8);
        ask("classic stranger", join(g, "", null, "foo"), 9);
        ask("wrong type", join(g, "", null, "range").setProtocolType("connect"), 9);
        ask("classic heartbeat of a consumer", beat(g, "m", 2), 4);
        ask("classic second", join(g, "", null, "range"), 9);
        ask("the consumer leaves", heartbeat(g, "m", -1), 1);
        ask("describe", describe(g), 6);
        ask("classic heartbeat", beat(g, c1, joined.generationId()), 4);
        ask("consumer describe", describeConsumer(g), 1);
    }
}
