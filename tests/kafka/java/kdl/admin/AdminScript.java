package kdl.admin;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import kdl.wire.Asker;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AddRaftVoterRequestData;
import org.apache.kafka.common.message.AddRaftVoterResponseData;
import org.apache.kafka.common.message.AlterClientQuotasRequestData;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.DescribeClientQuotasRequestData;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsResponseData;
import org.apache.kafka.common.message.DescribeQuorumRequestData;
import org.apache.kafka.common.message.DescribeQuorumResponseData;
import org.apache.kafka.common.message.DescribeUserScramCredentialsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ListConfigResourcesRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.RemoveRaftVoterRequestData;
import org.apache.kafka.common.message.RemoveRaftVoterResponseData;
import org.apache.kafka.common.message.UnregisterBrokerRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.protocol.Errors;

/**
 * The same requests of administrators to any broker; prints every answer. Two brokers that do the
 * same print the same.
 */
public final class AdminScript {
    private static final int MATCH_EXACT = 0;
    private static final int MATCH_DEFAULT = 1;
    private static final int MATCH_ANY = 2;
    private static final byte TOPIC = 2;
    private static final byte BROKER = 4;
    private static final byte CLIENT_METRICS = 16;
    private static final byte GROUP = 32;

    private final Asker broker;
    private final String clusterId;

    private AdminScript(String bootstrap) throws Exception {
        broker = new Asker(bootstrap);
        clusterId = ((DescribeClusterResponseData) broker.ask(new DescribeClusterRequestData(), 2)).clusterId();
        broker.name(clusterId, "cluster");
        CreateTopicsRequestData topics = new CreateTopicsRequestData().setTimeoutMs(10000);
        topics.topics().add(new CreateTopicsRequestData.CreatableTopic().setName("admin-a").setNumPartitions(2).setReplicationFactor((short) 1));
        broker.ask(topics, 7);
    }

    public static void main(String[] args) throws Exception {
        if (args.length != 1) {
            System.err.println("usage: AdminScript BOOTSTRAP");
            System.exit(2);
        }
        AdminScript script = new AdminScript(args[0]);
        script.part("quotas", script::quotas);
        script.part("quota-filters", script::quotaFilters);
        script.part("scram", script::scram);
        script.part("quorum", script::quorum);
        script.part("features", script::features);
        script.part("unreleased", script::unreleased);
        script.part("folders", script::folders);
        script.part("configs", script::configs);
        script.part("brokers", script::brokers);
        script.part("inherited", script::inherited);
        script.part("metrics", script::metrics);
        script.part("by-use", script::byUse);
    }

    private interface Part {
        void play() throws Exception;
    }

    private void part(String name, Part part) throws Exception {
        System.out.println("== " + name);
        part.play();
    }

    // --- quotas ------------------------------------------------------------------------------------

    /** Names of entities: TYPE NAME pairs; "" is the default. */
    private static AlterClientQuotasRequestData.EntryData entry(List<String> entity, Map<String, Double> values) {
        AlterClientQuotasRequestData.EntryData entry = new AlterClientQuotasRequestData.EntryData();
        for (int i = 0; i < entity.size(); i += 2) {
            String name = entity.get(i + 1);
            entry.entity().add(new AlterClientQuotasRequestData.EntityData().setEntityType(entity.get(i))
                .setEntityName(name.equals("DEFAULT") ? null : name));
        }
        values.forEach((key, value) -> entry.ops().add(new AlterClientQuotasRequestData.OpData().setKey(key)
            .setValue(value < -5 ? 0 : value).setRemove(value < -5)));
        return entry;
    }

    private void alter(String what, AlterClientQuotasRequestData.EntryData... entries) throws Exception {
        broker.ask(what, new AlterClientQuotasRequestData().setEntries(List.of(entries)), 1);
    }

    private void alter(String what, List<String> entity, String key, double value) throws Exception {
        alter(what, entry(entity, Map.of(key, value)));
    }

    private void describe(String what, boolean strict, Object... components) throws Exception {
        DescribeClientQuotasRequestData request = new DescribeClientQuotasRequestData().setStrict(strict);
        for (int i = 0; i < components.length; i += 3) {
            request.components().add(new DescribeClientQuotasRequestData.ComponentData().setEntityType((String) components[i])
                .setMatchType(((Integer) components[i + 1]).byteValue()).setMatch((String) components[i + 2]));
        }
        broker.askSettled(what, request, 1);
    }

    private void quotas() throws Exception {
        double gone = -10;
        describe("nothing yet", false);
        alter("a user", List.of("user", "u1"), "producer_byte_rate", 1e9);
        alter("a client", List.of("client-id", "c1"), "consumer_byte_rate", 2e9);
        alter("both", List.of("user", "u1", "client-id", "c1"), "request_percentage", 1000.5);
        alter("defaults", List.of("user", "DEFAULT", "client-id", "DEFAULT"), "controller_mutation_rate", 1000.25);
        alter("an address", List.of("ip", "127.0.0.9"), "connection_creation_rate", 1000);
        alter("the default address", List.of("ip", "DEFAULT"), "connection_creation_rate", 100000);
        describe("all", false);
        alter("several", entry(List.of("user", "u2"), Map.of("producer_byte_rate", 1e9, "consumer_byte_rate", 1e9)),
            entry(List.of("user", "u3"), Map.of("producer_byte_rate", 1e9)));
        alter("one of several is wrong", entry(List.of("user", "u4"), Map.of("producer_byte_rate", 1e9)),
            entry(List.of("user", "u5"), Map.of("nonsense", 1e9)));
        broker.ask("only judged", new AlterClientQuotasRequestData().setValidateOnly(true)
            .setEntries(List.of(entry(List.of("user", "u6"), Map.of("producer_byte_rate", 1e9)))), 1);
        describe("users", false, "user", MATCH_ANY, null);
        alter("removed", List.of("user", "u2"), "producer_byte_rate", gone);
        alter("removed and never there", List.of("user", "u2"), "request_percentage", gone);
        alter("the last one removed", List.of("user", "u3"), "producer_byte_rate", gone);
        describe("what is left", false, "user", MATCH_ANY, null);
        alter("no entity", List.of(), "producer_byte_rate", 1);
        alter("an unknown kind", List.of("planet", "x"), "producer_byte_rate", 1);
        alter("an empty name", List.of("user", ""), "producer_byte_rate", 1);
        alter("a kind twice", List.of("user", "a", "user", "b"), "producer_byte_rate", 1e9);
        alter("address and user", List.of("ip", "127.0.0.9", "user", "a"), "connection_creation_rate", 1);
        alter("no address", List.of("ip", "no such host at all"), "connection_creation_rate", 1);
        alter("a key of another kind", List.of("ip", "127.0.0.9"), "producer_byte_rate", 1);
        alter("an unknown key", List.of("user", "u1"), "nonsense", 1);
        alter("an unknown key, removed", List.of("user", "u1"), "nonsense", gone);
        alter("zero", List.of("user", "u1"), "producer_byte_rate", 0);
        alter("less", List.of("user", "u1"), "request_percentage", -1);
        alter("a fraction", List.of("user", "u1"), "producer_byte_rate", 1.5);
        alter("too much", List.of("user", "u1"), "producer_byte_rate", 1e30);
        alter("too much for an int", List.of("ip", "127.0.0.9"), "connection_creation_rate", 1e10);
        AlterClientQuotasRequestData.EntryData twice = entry(List.of("user", "u1"), Map.of("producer_byte_rate", 1e9));
        twice.ops().add(new AlterClientQuotasRequestData.OpData().setKey("producer_byte_rate").setValue(2e9));
        alter("a key twice", twice);
        alter("an entity twice", entry(List.of("user", "u7"), Map.of("producer_byte_rate", 1e9)),
            entry(List.of("user", "u7"), Map.of("consumer_byte_rate", 1e9)));
        describe("all in the end", false);
    }

    private void quotaFilters() throws Exception {
        describe("user u1", false, "user", MATCH_EXACT, "u1");
        describe("strictly", true, "user", MATCH_EXACT, "u1");
        describe("default users", false, "user", MATCH_DEFAULT, null);
        describe("any client", false, "client-id", MATCH_ANY, null);
        describe("any client, strictly", true, "client-id", MATCH_ANY, null);
        describe("both", false, "user", MATCH_EXACT, "u1", "client-id", MATCH_EXACT, "c1");
        describe("addresses", false, "ip", MATCH_ANY, null);
        describe("strictly nothing", true);
        describe("exact without a name", false, "user", MATCH_EXACT, null);
        describe("default with a name", false, "user", MATCH_DEFAULT, "x");
        describe("any with a name", false, "user", MATCH_ANY, "x");
        describe("an unknown match", false, "user", 9, null);
        describe("an unknown kind", false, "planet", MATCH_ANY, null);
        describe("an empty kind", false, "", MATCH_ANY, null);
        describe("a kind twice", false, "user", MATCH_ANY, null, "user", MATCH_EXACT, "u1");
        describe("address and user", false, "ip", MATCH_ANY, null, "user", MATCH_ANY, null);
    }

    // --- SCRAM users -------------------------------------------------------------------------------

    private static AlterUserScramCredentialsRequestData.ScramCredentialUpsertion user(String name, int mechanism, int iterations) {
        return new AlterUserScramCredentialsRequestData.ScramCredentialUpsertion().setName(name).setMechanism((byte) mechanism)
            .setIterations(iterations).setSalt(new byte[] {1, 2, 3}).setSaltedPassword(new byte[] {4, 5, 6});
    }

    private static AlterUserScramCredentialsRequestData.ScramCredentialDeletion without(String name, int mechanism) {
        return new AlterUserScramCredentialsRequestData.ScramCredentialDeletion().setName(name).setMechanism((byte) mechanism);
    }

    private void change(String what, List<AlterUserScramCredentialsRequestData.ScramCredentialDeletion> deletions,
        AlterUserScramCredentialsRequestData.ScramCredentialUpsertion... upsertions) throws Exception {
        broker.ask(what, new AlterUserScramCredentialsRequestData().setDeletions(deletions).setUpsertions(List.of(upsertions)), 0);
    }

    private void users(String what, String... names) throws Exception {
        DescribeUserScramCredentialsRequestData request = new DescribeUserScramCredentialsRequestData().setUsers(null);
        if (names.length > 0) {
            request.setUsers(new ArrayList<>());
        }
        for (String name : names) {
            request.users().add(new DescribeUserScramCredentialsRequestData.UserName().setName(name));
        }
        broker.askSettled(what, request, 0);
    }

    private void scram() throws Exception {
        users("nobody yet");
        change("three", List.of(), user("anna", 1, 4096), user("bert", 2, 8192), user("carl", 1, 16384));
        change("a second mechanism", List.of(), user("anna", 2, 4097));
        users("all");
        users("some", "anna", "nobody", "bert", "bert");
        change("too few", List.of(), user("dora", 1, 4095));
        change("too many", List.of(), user("dora", 1, 16385));
        change("no name", List.of(), user("", 1, 4096));
        change("no such mechanism", List.of(), user("dora", 7, 4096));
        change("twice", List.of(), user("dora", 1, 4096), user("dora", 2, 4096));
        change("deleted and set", List.of(without("anna", 1)), user("anna", 2, 4096));
        change("not there", List.of(without("nobody", 1)));
        change("not with that mechanism", List.of(without("bert", 1)));
        change("deleted twice", List.of(without("bert", 2), without("bert", 2)));
        change("some of it is wrong", List.of(without("carl", 1)), user("", 1, 4096), user("emil", 1, 5000));
        change("changed", List.of(), user("bert", 2, 9000));
        users("in the end");
        change("nothing", List.of());
    }

    // --- the quorum --------------------------------------------------------------------------------

    private void quorum() throws Exception {
        DescribeQuorumRequestData request = new DescribeQuorumRequestData();
        DescribeQuorumRequestData.TopicData topic = new DescribeQuorumRequestData.TopicData().setTopicName("__cluster_metadata")
            .setPartitions(List.of(new DescribeQuorumRequestData.PartitionData().setPartitionIndex(0)));
        request.setTopics(List.of(topic));
        for (int version = 0; version <= 2; version++) {
            DescribeQuorumResponseData answer = (DescribeQuorumResponseData) broker.ask(request, version);
            for (DescribeQuorumResponseData.PartitionData partition : answer.topics().get(0).partitions()) {
                DescribeQuorumResponseData.ReplicaState voter = partition.currentVoters().get(0);
                System.out.println("it leads: " + (partition.leaderId() == voter.replicaId()) + ", has an end: "
                    + (voter.logEndOffset() >= partition.highWatermark() && partition.highWatermark() > 0) + ", caught up: "
                    + (version == 0 || voter.lastCaughtUpTimestamp() > 0));
                partition.setHighWatermark(0).setLeaderEpoch(0);
                partition.currentVoters().forEach(state -> state.setLogEndOffset(0).setLastFetchTimestamp(0).setLastCaughtUpTimestamp(0)
                    .setReplicaDirectoryId(Uuid.ZERO_UUID));
            }
            answer.nodes().forEach(node -> node.listeners().forEach(listener -> listener.setPort(0)));
            broker.tell("the metadata", answer, version);
        }
        topic.setTopicName("admin-a");
        broker.ask("another topic", request, 2);
        topic.setTopicName("__cluster_metadata").setPartitions(List.of(new DescribeQuorumRequestData.PartitionData().setPartitionIndex(3)));
        broker.ask("another partition", request, 2);
        request.setTopics(List.of());
        broker.ask("no topic", request, 2);

        AddRaftVoterRequestData add = new AddRaftVoterRequestData().setClusterId("another").setVoterId(9).setTimeoutMs(1000)
            .setVoterDirectoryId(new Uuid(1, 2));
        add.listeners().add(new AddRaftVoterRequestData.Listener().setName("CONTROLLER").setHost("127.0.0.1").setPort(1));
        AddRaftVoterResponseData added = (AddRaftVoterResponseData) broker.ask(add, 0);
        broker.tell("a voter of another cluster", added.setErrorMessage(added.errorMessage().replace(clusterId, "OURS")), 0);
        RemoveRaftVoterResponseData removed = (RemoveRaftVoterResponseData) broker.ask(
            new RemoveRaftVoterRequestData().setClusterId("another").setVoterId(9).setVoterDirectoryId(new Uuid(1, 2)), 0);
        broker.tell("no voter of another cluster", removed.setErrorMessage(removed.errorMessage().replace(clusterId, "OURS")), 0);
        broker.ask("a broker that never was", new UnregisterBrokerRequestData().setBrokerId(99), 0);
    }

    // --- features ----------------------------------------------------------------------------------

    private void feature(String what, String name, int level, int type, boolean judgeOnly) throws Exception {
        UpdateFeaturesRequestData request = new UpdateFeaturesRequestData().setValidateOnly(judgeOnly).setTimeoutMs(10000);
        request.featureUpdates().add(new UpdateFeaturesRequestData.FeatureUpdateKey().setFeature(name).setMaxVersionLevel((short) level)
            .setUpgradeType((byte) type));
        broker.ask(what, request, 1);
        broker.ask(what, request, 2);
    }

    private void features() throws Exception {
        feature("as it is", "transaction.version", 2, 1, false);
        feature("unknown", "no.such.feature", 1, 1, false);
        feature("too high", "transaction.version", 99, 1, false);
        feature("less than none", "transaction.version", -1, 1, false);
        feature("down without saying so", "transaction.version", 1, 1, true);
        feature("up called down", "metadata.version", 30, 2, true);
        feature("an unknown direction", "transaction.version", 2, 9, true);
        feature("down, judged only", "transaction.version", 1, 2, true);
        feature("metadata unknown", "metadata.version", 9999, 1, true);
        feature("metadata too low", "metadata.version", 6, 2, true);
        feature("metadata not released", "metadata.version", 31, 1, true);
        feature("metadata down without saying so", "metadata.version", 29, 1, true);
        feature("metadata down", "metadata.version", 29, 2, false);
        feature("metadata down at any price", "metadata.version", 29, 3, false);
        feature("metadata down by much", "metadata.version", 7, 2, false);
        feature("metadata as it is, called down", "metadata.version", 30, 2, false);
        feature("down", "transaction.version", 1, 2, false);
        feature("up again", "transaction.version", 2, 1, false);
        UpdateFeaturesRequestData old = new UpdateFeaturesRequestData().setTimeoutMs(10000);
        old.featureUpdates().add(new UpdateFeaturesRequestData.FeatureUpdateKey().setFeature("transaction.version").setMaxVersionLevel((short) 1)
            .setAllowDowngrade(true));
        broker.ask("down in the first version", old, 0);
        broker.ask("nothing", new UpdateFeaturesRequestData(), 2);
    }

    // --- versions that are not released ------------------------------------------------------------

    /** InitProducerId 6: two-phase commit, which is off. */
    private void init(String what, String id, int timeoutMs, boolean enable2Pc, boolean keepPrepared) throws Exception {
        InitProducerIdRequestData request = new InitProducerIdRequestData().setTransactionalId(id).setTransactionTimeoutMs(timeoutMs)
            .setEnable2Pc(enable2Pc).setKeepPreparedTxn(keepPrepared);
        InitProducerIdResponseData answer = (InitProducerIdResponseData) broker.ask(request, 6);
        // Kafka may still be getting its producer ids.
        for (; answer.errorCode() == Errors.COORDINATOR_LOAD_IN_PROGRESS.code(); answer = (InitProducerIdResponseData) broker.ask(request, 6)) {
            Thread.sleep(20);
        }
        broker.tell(what, answer.setProducerId(Math.min(answer.producerId(), 0)), 6);
    }

    private void unreleased() throws Exception {
        ApiVersionsResponseData answer = (ApiVersionsResponseData) broker.ask(
            new ApiVersionsRequestData().setClientSoftwareName("admin").setClientSoftwareVersion("1"), 4);
        System.out.println("InitProducerId goes up to " + answer.apiKeys().find((short) 22).maxVersion());
        init("without an id", null, 60000, false, false);
        init("two phases without an id", null, 60000, true, true);
        init("two phases", "admin", 60000, true, false);
        init("a prepared transaction", "admin", 60000, false, true);
        init("both", "admin", 60000, true, true);
        init("two phases without an end", "admin", Integer.MAX_VALUE, true, false);
        init("too long", "admin", Integer.MAX_VALUE, false, false);
        init("an empty id", "", 60000, false, false);
    }

    // --- folders -----------------------------------------------------------------------------------

    private void folders() throws Exception {
        DescribeLogDirsResponseData described = (DescribeLogDirsResponseData) broker.ask(new DescribeLogDirsRequestData().setTopics(null), 4);
        String folder = described.results().get(0).logDir();
        move("to where it is", folder, "admin-a", 0, 1);
        move("what is not there", folder, "admin-a", 7);
        move("what nobody has", folder, "no-such-topic", 0);
        move("to nowhere", "/no/such/folder", "admin-a", 0);
        move("to nowhere, what is not there", "/no/such/folder", "no-such-topic", 0);
        broker.ask("nothing", new AlterReplicaLogDirsRequestData(), 2);
    }

    private void move(String what, String folder, String topic, Integer... partitions) throws Exception {
        AlterReplicaLogDirsRequestData request = new AlterReplicaLogDirsRequestData();
        AlterReplicaLogDirsRequestData.AlterReplicaLogDir to = new AlterReplicaLogDirsRequestData.AlterReplicaLogDir().setPath(folder);
        to.topics().add(new AlterReplicaLogDirsRequestData.AlterReplicaLogDirTopic().setName(topic).setPartitions(List.of(partitions)));
        request.dirs().add(to);
        broker.ask(what, request, 2);
    }

    // --- configs -----------------------------------------------------------------------------------

    private void replace(String what, byte type, String name, boolean judgeOnly, String... pairs) throws Exception {
        AlterConfigsRequestData request = new AlterConfigsRequestData().setValidateOnly(judgeOnly);
        AlterConfigsRequestData.AlterConfigsResource resource = new AlterConfigsRequestData.AlterConfigsResource().setResourceType(type)
            .setResourceName(name);
        for (int i = 0; i < pairs.length; i += 2) {
            resource.configs().add(new AlterConfigsRequestData.AlterableConfig().setName(pairs[i]).setValue(pairs[i + 1]));
        }
        request.resources().add(resource);
        broker.ask(what, request, 2);
    }

    private void increment(String what, byte type, String name, int operation, String key, String value) throws Exception {
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
        IncrementalAlterConfigsRequestData.AlterConfigsResource resource = new IncrementalAlterConfigsRequestData.AlterConfigsResource()
            .setResourceType(type).setResourceName(name);
        resource.configs().add(new IncrementalAlterConfigsRequestData.AlterableConfig().setName(key).setConfigOperation((byte) operation)
            .setValue(value));
        request.resources().add(resource);
        broker.ask(what, request, 1);
    }

    private void configsOf(String what, byte type, String name, String... keys) throws Exception {
        broker.askSettled(what, new DescribeConfigsRequestData().setIncludeSynonyms(true).setResources(List.of(new DescribeConfigsRequestData.DescribeConfigsResource()
            .setResourceType(type).setResourceName(name).setConfigurationKeys(List.of(keys)))), 4);
    }

    private void configs() throws Exception {
        String[] keys = {"retention.ms", "cleanup.policy", "segment.bytes"};
        replace("two", TOPIC, "admin-a", false, "retention.ms", "1000000", "cleanup.policy", "compact");
        configsOf("two are set", TOPIC, "admin-a", keys);
        replace("another one, only judged", TOPIC, "admin-a", true, "segment.bytes", "20000000");
        configsOf("still two", TOPIC, "admin-a", keys);
        replace("another one", TOPIC, "admin-a", false, "segment.bytes", "20000000");
        configsOf("it alone is set", TOPIC, "admin-a", keys);
        replace("unknown", TOPIC, "admin-a", false, "no.such.config", "1");
        replace("wrong", TOPIC, "admin-a", false, "retention.ms", "much");
        replace("null", TOPIC, "admin-a", false, "retention.ms", null);
        replace("no such topic", TOPIC, "no-such-topic", false, "retention.ms", "1000000");
        replace("another broker's", BROKER, "7", false);
        replace("no broker's", BROKER, "x", false);
        increment("a throttle", BROKER, "1", 0, "leader.replication.throttled.rate", "1000000");
        configsOf("it is set", BROKER, "1", "leader.replication.throttled.rate");
        increment("no number", BROKER, "1", 0, "leader.replication.throttled.rate", "x");
        increment("less than none", BROKER, "1", 0, "leader.replication.throttled.rate", "-1");
        increment("no throttle", BROKER, "1", 1, "leader.replication.throttled.rate", null);
        configsOf("it is gone", BROKER, "1", "leader.replication.throttled.rate");
        increment("a throttle of all", BROKER, "", 0, "follower.replication.throttled.rate", "2000000");
        configsOf("it is set", BROKER, "1", "follower.replication.throttled.rate");
        configsOf("of all", BROKER, "", "follower.replication.throttled.rate");
        increment("no throttle of all", BROKER, "", 1, "follower.replication.throttled.rate", null);
        increment("what is not there", BROKER, "1", 1, "no.such.config", null);
        increment("read only", BROKER, "1", 0, "broker.id", "7");
        replace("no kind of thing", (byte) 77, "admin-a", false, "retention.ms", "1000000");
        configsOf("as before", TOPIC, "admin-a", keys);
        replace("nothing", TOPIC, "admin-a", false);
        configsOf("none is set", TOPIC, "admin-a", keys);
        replace("a group's", GROUP, "admin-group", false, "consumer.session.timeout.ms", "50000");
        configsOf("it is set", GROUP, "admin-group", "consumer.session.timeout.ms", "consumer.heartbeat.interval.ms");
        list("groups", 1, GROUP);
        list("topics", 1, TOPIC);
        list("brokers", 1, BROKER);
        list("an unknown kind", 1, (byte) 77);
        list("of all kinds", 1);
        list("client metrics", 0);
        replace("no group's", GROUP, "admin-group", false);
        list("no group", 1, GROUP);
    }

    /** Changes of a broker's configs ("" for all brokers): triples of operation, name and value. */
    private void brokerChange(String what, String name, Object... triples) throws Exception {
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
        IncrementalAlterConfigsRequestData.AlterConfigsResource resource = new IncrementalAlterConfigsRequestData.AlterConfigsResource()
            .setResourceType(BROKER).setResourceName(name);
        for (int i = 0; i < triples.length; i += 3) {
            resource.configs().add(new IncrementalAlterConfigsRequestData.AlterableConfig().setConfigOperation(((Integer) triples[i]).byteValue())
                .setName((String) triples[i + 1]).setValue((String) triples[i + 2]));
        }
        request.resources().add(resource);
        broker.ask(what, request, 1);
    }

    private void brokers() throws Exception {
        brokerChange("for one", "1", 0, "message.max.bytes", "110000");
        brokerChange("for all", "", 0, "message.max.bytes", "120000");
        configsOf("the nearer one counts", BROKER, "1", "message.max.bytes");
        configsOf("of all", BROKER, "", "message.max.bytes");
        brokerChange("not for one any more", "1", 1, "message.max.bytes", null);
        configsOf("that for all counts", BROKER, "1", "message.max.bytes");
        brokerChange("nor for all", "", 1, "message.max.bytes", null);
        configsOf("the default", BROKER, "1", "message.max.bytes", "group.consumer.session.timeout.ms", "log.retention.ms", "log.retention.hours",
            "num.partitions", "broker.id", "node.id", "sasl.jaas.config", "principal.builder.class");
        brokerChange("several", "1", 0, "log.retention.bytes", "7000000", 0, "log.roll.ms", "5000000", 0, "log.cleaner.min.cleanable.ratio", "0.25");
        configsOf("several", BROKER, "1", "log.retention.bytes", "log.roll.ms", "log.roll.hours", "log.cleaner.min.cleanable.ratio");
        replace("another set", BROKER, "1", false, "log.retention.bytes", "8000000");
        configsOf("it replaces the one before", BROKER, "1", "log.retention.bytes", "log.roll.ms");
        replace("none", BROKER, "1", false);
        configsOf("none is left", BROKER, "1", "log.retention.bytes");
        brokerChange("spaces", "", 0, "compression.type", " gzip ");
        configsOf("spaces", BROKER, "1", "compression.type");
        configsOf("spaces of all", BROKER, "", "compression.type");
        brokerChange("no spaces", "", 1, "compression.type", null);
        brokerChange("one more in a list", "", 2, "log.cleanup.policy", "compact");
        configsOf("one more", BROKER, "1", "log.cleanup.policy");
        brokerChange("one less", "", 3, "log.cleanup.policy", "delete");
        configsOf("one less", BROKER, "1", "log.cleanup.policy");
        brokerChange("the default list", "", 1, "log.cleanup.policy", null);
        brokerChange("more of what is no list", "", 2, "message.max.bytes", "7");
        brokerChange("more of nobody's", "", 2, "no.such.config", "7");
        brokerChange("nobody's", "1", 0, "no.such.config", "7");
        configsOf("nobody's", BROKER, "1", "no.such.config");
        brokerChange("no more nobody's", "1", 1, "no.such.config", null);
        brokerChange("a listener's", "1", 0, "listener.name.internal.ssl.truststore.type", "PKCS12", 0, "listener.name.internal.ssl.key.password", "secret");
        configsOf("a listener's", BROKER, "1", "listener.name.internal.ssl.truststore.type", "listener.name.internal.ssl.key.password");
        brokerChange("no listener's", "1", 1, "listener.name.internal.ssl.truststore.type", null, 1, "listener.name.internal.ssl.key.password", null);
        brokerChange("a listener's for all", "", 0, "listener.name.internal.ssl.keystore.location", "/x");
        brokerChange("a secret of no listener", "1", 0, "ssl.keystore.location", "/x");
        brokerChange("of one broker only", "", 0, "sasl.enabled.mechanisms", "PLAIN");
        brokerChange("read only", "1", 0, "node.id", "7", 0, "num.partitions", "3");
        brokerChange("read only for all", "", 0, "auto.create.topics.enable", "false");
        brokerChange("read only and nothing here", "1", 0, "log.dirs", "/x");
        brokerChange("no number", "1", 0, "message.max.bytes", "x");
        brokerChange("too low", "1", 0, "message.max.bytes", "-1");
        brokerChange("no such codec", "", 0, "compression.type", "brotli");
        brokerChange("no such policy", "", 0, "log.cleanup.policy", "nothing");
        brokerChange("too high", "", 0, "log.cleaner.min.cleanable.ratio", "2");
        brokerChange("neither true nor false", "", 0, "unclean.leader.election.enable", "maybe");
        brokerChange("no time at all", "1", 0, "log.retention.ms", "0");
        brokerChange("too many threads", "", 0, "num.io.threads", "17");
        brokerChange("too few threads", "", 0, "num.io.threads", "1");
        brokerChange("too little memory", "1", 0, "log.cleaner.dedupe.buffer.size", "5");
        brokerChange("above what groups may have", "", 0, "group.consumer.assignment.interval.ms", "99999");
        brokerChange("no such class", "1", 0, "principal.builder.class", "x.y.z");
        brokerChange("twice", "1", 0, "message.max.bytes", "110000", 0, "message.max.bytes", "110001");
        brokerChange("null", "1", 0, "message.max.bytes", null);
        brokerChange("one of two is wrong", "1", 0, "message.max.bytes", "110000", 0, "log.retention.bytes", "x");
        configsOf("none of them counts", BROKER, "1", "message.max.bytes");
        configsOf("of another broker", BROKER, "7", "message.max.bytes");
        configsOf("of no broker", BROKER, "x", "message.max.bytes");
        increment("of another broker", BROKER, "7", 0, "message.max.bytes", "1");
        increment("of no broker", BROKER, "x", 0, "message.max.bytes", "1");
    }

    /** What topics and groups without values of their own have from the broker. */
    private void inherited() throws Exception {
        String[] keys = {"retention.ms", "segment.ms", "flush.ms", "max.message.bytes", "compression.type", "message.timestamp.type"};
        configsOf("Kafka's defaults", TOPIC, "admin-a", keys);
        brokerChange("for one", "1", 0, "log.retention.ms", "5000000", 0, "log.message.timestamp.type", "LogAppendTime");
        brokerChange("for all", "", 0, "log.retention.ms", "6000000", 0, "log.roll.ms", "7000000", 0, "log.flush.interval.ms", "9", 0, "message.max.bytes", "2000000");
        configsOf("the broker's", TOPIC, "admin-a", keys);
        increment("a topic's own", TOPIC, "admin-a", 0, "retention.ms", "1000000");
        configsOf("the topic's before the broker's", TOPIC, "admin-a", "retention.ms");
        CreateTopicsRequestData topics = new CreateTopicsRequestData().setTimeoutMs(10000);
        topics.topics().add(new CreateTopicsRequestData.CreatableTopic().setName("admin-b").setNumPartitions(1).setReplicationFactor((short) 1));
        CreateTopicsResponseData made = (CreateTopicsResponseData) broker.ask(topics, 7);
        // Kafka keeps min.insync.replicas for all brokers, since it has eligible leader replicas.
        made.topics().find("admin-b").configs().removeIf(config -> List.of("min.insync.replicas", "diskless.enable").contains(config.name()));
        broker.tell("a topic is made", made, 7);
        CreateTopicsRequestData internal = new CreateTopicsRequestData().setTimeoutMs(10000);
        internal.topics().add(new CreateTopicsRequestData.CreatableTopic().setName("admin-c").setNumPartitions(1).setReplicationFactor((short) 1));
        internal.topics().find("admin-c").configs().add(new CreateTopicsRequestData.CreatableTopicConfig().setName("internal.segment.bytes").setValue("1000000"));
        made = (CreateTopicsResponseData) broker.ask(internal, 7);
        made.topics().find("admin-c").configs().removeIf(config -> !config.name().contains("segment.bytes"));
        broker.tell("a topic is made with an internal config", made, 7);
        configsOf("it is told", TOPIC, "admin-c", "internal.segment.bytes");
        increment("no topic's own", TOPIC, "admin-a", 1, "retention.ms", null);
        replace("not for one any more", BROKER, "1", false);
        configsOf("that of all", TOPIC, "admin-a", keys);
        for (String name : List.of("log.retention.ms", "log.roll.ms", "log.flush.interval.ms", "message.max.bytes")) {
            brokerChange("nor for all", "", 1, name, null);
        }
        configsOf("Kafka's again", TOPIC, "admin-a", keys);

        for (String[] config : GroupConfigs.VALUES) {
            increment("a config of another kind of group", GROUP, "admin-group", 0, config[0], config[1]);
            configsOf("it counts, or not", GROUP, "admin-group", config[0]);
            increment("no more", GROUP, "admin-group", 1, config[0], null);
        }
        configsOf("all of a group's", GROUP, "admin-group");

        String[] times = {"consumer.assignment.interval.ms", "consumer.session.timeout.ms"};
        brokerChange("an interval for all", "", 0, "group.consumer.assignment.interval.ms", "1500");
        configsOf("a group has it", GROUP, "admin-group", times);
        brokerChange("one for the broker", "1", 0, "group.consumer.assignment.interval.ms", "2000");
        configsOf("it has that", GROUP, "admin-group", times);
        increment("one of the group", GROUP, "admin-group", 0, "consumer.assignment.interval.ms", "3000");
        configsOf("it has its own", GROUP, "admin-group", times);
        increment("no more", GROUP, "admin-group", 1, "consumer.assignment.interval.ms", null);
        brokerChange("nor the broker's", "1", 1, "group.consumer.assignment.interval.ms", null);
        configsOf("that of all", GROUP, "admin-group", times);
        brokerChange("nor that of all", "", 1, "group.consumer.assignment.interval.ms", null);
    }

    private void list(String what, int version, Byte... types) throws Exception {
        broker.askSettled(what, new ListConfigResourcesRequestData().setResourceTypes(List.of(types)), version);
    }

    private void metrics() throws Exception {
        increment("an interval", CLIENT_METRICS, "watch", 0, "interval.ms", "60000");
        increment("what", CLIENT_METRICS, "watch", 0, "metrics", "org.apache.kafka.producer.,org.apache.kafka.consumer.");
        increment("of whom", CLIENT_METRICS, "watch", 0, "match", "client_id=abc.*,client_software_name=java");
        configsOf("all", CLIENT_METRICS, "watch");
        increment("too short", CLIENT_METRICS, "watch", 0, "interval.ms", "1");
        increment("too long", CLIENT_METRICS, "watch", 0, "interval.ms", "99999999");
        increment("no number", CLIENT_METRICS, "watch", 0, "interval.ms", "x");
        increment("an unknown name", CLIENT_METRICS, "watch", 0, "nonsense", "x");
        increment("a bad pattern", CLIENT_METRICS, "watch", 0, "match", "client_id=(");
        increment("a pattern of nothing", CLIENT_METRICS, "watch", 0, "match", "planet=x");
        increment("no pattern", CLIENT_METRICS, "watch", 0, "match", "x");
        increment("one more", CLIENT_METRICS, "watch", 2, "metrics", "org.apache.kafka.admin.");
        increment("one less", CLIENT_METRICS, "watch", 3, "metrics", "org.apache.kafka.producer.");
        configsOf("changed", CLIENT_METRICS, "watch");
        configsOf("not there", CLIENT_METRICS, "another");
        increment("without a name", CLIENT_METRICS, "", 0, "interval.ms", "60000");
        configsOf("without a name", CLIENT_METRICS, "");
        list("it is listed", 0);
        list("it is listed", 1, CLIENT_METRICS);
        increment("gone", CLIENT_METRICS, "watch", 1, "interval.ms", null);
        configsOf("what is left", CLIENT_METRICS, "watch");
        replace("replaced", CLIENT_METRICS, "watch", false, "interval.ms", "30000");
        configsOf("one is set", CLIENT_METRICS, "watch");
        replace("replaced by nothing", CLIENT_METRICS, "watch", false);
        list("not listed any more", 0);
    }

    // --- topics that are made by their use ---------------------------------------------------------

    private void byUse() throws Exception {
        use("nobody has made it", "admin-by-use", true);
        use("nobody may", "admin-not-by-use", false);
        use("no name of a topic", "admin/by use", true);
    }

    /** The first answer about a topic; brokers' addresses, which stand beside it, differ. */
    private void use(String what, String name, boolean make) throws Exception {
        MetadataRequestData request = new MetadataRequestData().setAllowAutoTopicCreation(make);
        request.topics().add(new MetadataRequestData.MetadataRequestTopic().setName(name));
        System.out.println(what + ": " + ((MetadataResponseData) broker.ask(request, 12)).topics().find(name));
    }
}
