package kdl.streamsgroups;

import java.io.IOException;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Predicate;
import kdl.wire.Asker;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.StreamsGroupDescribeResponseData;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData;
import org.apache.kafka.common.message.StreamsGroupHeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiMessage;

/** A broker that is asked about streams groups, and what a script needs beside them: topics, configs, and ways of waiting for what a broker does by itself. */
class StreamsBroker extends StreamsRequests {
    private static final int TRIES = 1_500;
    private static final int PAUSE_MS = 20;
    private static final byte TYPE_TOPIC = 2;
    private static final byte TYPE_GROUP = 32;
    private static final byte SOURCE_OF_TOPIC = 1;

    final Asker broker;

    StreamsBroker(String bootstrap) throws IOException {
        broker = new Asker(bootstrap);
    }

    final ApiMessage ask(String what, ApiMessage request, int version) throws Exception {
        return broker.ask(what, request, version);
    }

    final StreamsGroupHeartbeatResponseData beats(String what, StreamsGroupHeartbeatRequestData request) throws Exception {
        return (StreamsGroupHeartbeatResponseData) broker.ask(what, request, 0);
    }

    // --- waiting -----------------------------------------------------------------------------------

    interface Question<T> {
        T ask() throws Exception;
    }

    /** Asks until the answer is as wanted; after a long time it is given as it is, so that it can be compared. */
    final <T> T await(Question<T> question, Predicate<T> wanted) throws Exception {
        T answer = question.ask();
        for (int i = 0; i < TRIES && !wanted.test(answer); i++) {
            Thread.sleep(PAUSE_MS);
            answer = question.ask();
        }
        return answer;
    }

    /** A member's heartbeats until one is answered as wanted, which is printed. */
    final StreamsGroupHeartbeatResponseData until(String what, StreamsGroupHeartbeatRequestData request,
        Predicate<StreamsGroupHeartbeatResponseData> wanted) throws Exception {
        StreamsGroupHeartbeatResponseData answer = await(() -> {
            StreamsGroupHeartbeatResponseData next = (StreamsGroupHeartbeatResponseData) broker.ask(request, 0);
            if (next.errorCode() == 0) {
                request.setMemberEpoch(next.memberEpoch());
            }
            return next;
        }, wanted);
        return (StreamsGroupHeartbeatResponseData) broker.tell(what, answer, 0);
    }

    static boolean isReady(StreamsGroupHeartbeatResponseData answer) {
        return answer.errorCode() == 0 && answer.status().isEmpty();
    }

    /** Until a group has so many members, without whoever is given up on for its silence. */
    final void awaitMembers(String what, String group, int count) throws Exception {
        broker.tell(what, await(() -> (StreamsGroupDescribeResponseData) broker.ask(describe(group), 0),
            answer -> answer.groups().get(0).members().size() == count), 0);
    }

    /**
     * Until the coordinator knows a topic, of which it learns later than others do: a group asks it that is not there before or afterwards. Of all
     * groups there is one coordinator here (offsets.topic.num.partitions).
     */
    final void awaitTopic(String group, String topic) throws Exception {
        StreamsGroupHeartbeatRequestData request = join(group, "m", plain(topic));
        await(() -> (StreamsGroupHeartbeatResponseData) broker.ask(request, 0), StreamsBroker::isReady);
        broker.ask(beat(group, "m", -1), 0);
        broker.ask(delete(group), 2);
    }

    /** Right after its start a broker does not know yet which groups it coordinates. */
    final void awaitCoordinator(List<String> groups) throws Exception {
        await(() -> (FindCoordinatorResponseData) broker.ask(new FindCoordinatorRequestData().setCoordinatorKeys(List.of("g")), 6),
            found -> found.coordinators().get(0).errorCode() == 0);
        await(() -> (DescribeGroupsResponseData) broker.ask(new DescribeGroupsRequestData().setGroups(groups), 5),
            answer -> answer.groups().stream().allMatch(group -> group.errorCode() == 0));
    }

    // --- topics ------------------------------------------------------------------------------------

    final void topic(String name, int partitions) throws Exception {
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(10_000);
        request.topics().add(new CreateTopicsRequestData.CreatableTopic().setName(name).setNumPartitions(partitions)
            .setReplicationFactor((short) 1));
        CreateTopicsResponseData made = (CreateTopicsResponseData) broker.ask(request, 7);
        Uuid id = made.topics().find(name).topicId();
        if (id.equals(Uuid.ZERO_UUID)) {
            id = metadata(name).topics().find(name).topicId(); // it is there from an earlier run of the script
        }
        topics.put(name, id);
        broker.name(id, "topic-" + name);
    }

    final void grow(String name, int partitions) throws IOException {
        CreatePartitionsRequestData request = new CreatePartitionsRequestData().setTimeoutMs(10_000);
        request.topics().add(new CreatePartitionsRequestData.CreatePartitionsTopic().setName(name).setCount(partitions).setAssignments(null));
        broker.ask(request, 3);
    }

    final void drop(String name) throws IOException {
        broker.ask(new DeleteTopicsRequestData().setTimeoutMs(10_000).setTopics(List.of(
            new DeleteTopicsRequestData.DeleteTopicState().setName(name))), 6);
    }

    private MetadataResponseData metadata(String name) throws IOException {
        return (MetadataResponseData) broker.ask(new MetadataRequestData().setAllowAutoTopicCreation(false).setTopics(List.of(
            new MetadataRequestData.MetadataRequestTopic().setName(name))), 12);
    }

    /** Prints how many partitions a topic has, once it is there, and which configs were set. */
    final void show(String name) throws Exception {
        MetadataResponseData known = await(() -> metadata(name), answer -> answer.topics().find(name).errorCode() == 0);
        DescribeConfigsResponseData configs = (DescribeConfigsResponseData) broker.ask(new DescribeConfigsRequestData().setResources(List.of(
            new DescribeConfigsRequestData.DescribeConfigsResource().setResourceType(TYPE_TOPIC).setResourceName(name).setConfigurationKeys(null))), 4);
        TreeMap<String, String> set = new TreeMap<>();
        configs.results().get(0).configs().stream().filter(config -> config.configSource() == SOURCE_OF_TOPIC).forEach(
            config -> set.put(config.name(), config.value()));
        System.out.println("topic " + name + ": " + known.topics().find(name).partitions().size() + " partitions, " + set);
    }

    // --- configs of groups -------------------------------------------------------------------------

    final IncrementalAlterConfigsRequestData configures(String group, String name, String value) {
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
        IncrementalAlterConfigsRequestData.AlterConfigsResource resource = new IncrementalAlterConfigsRequestData.AlterConfigsResource()
            .setResourceType(TYPE_GROUP).setResourceName(group);
        resource.configs().add(new IncrementalAlterConfigsRequestData.AlterableConfig().setName(name).setConfigOperation(
            (byte) (value == null ? 1 : 0)).setValue(value));
        request.resources().add(resource);
        return request;
    }
}
