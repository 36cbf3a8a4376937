package kdl.admin;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import kdl.wire.RawConnection;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.AlterClientQuotasRequestData;
import org.apache.kafka.common.message.AlterClientQuotasResponseData;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsResponseData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.DescribeClientQuotasRequestData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListGroupsResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Records;
import org.apache.kafka.common.record.internal.SimpleRecord;

/**
 * What quotas do to a client: how long it is told to wait, whether it is made to, what it gets
 * meanwhile. The sizes are chosen so that the times are known.
 */
public final class QuotaRun {
    private static final String CLIENT = "kdl-referee"; // RawConnection's
    private static final int BYTES_PER_SECOND = 90_000;
    private static final int WINDOW_MS = 10_000; // ten whole samples, as at the first use
    private static final int BATCH_BYTES = 100_000;
    private static final int BATCHES = 10;
    private static final int TOLERANCE_MS = 250;
    private static final int MUTATIONS_PER_SECOND = 4;
    private static final int BURST_SECONDS = 11;
    private static final int OVERDRAWN = 10;
    private static final int CONNECTIONS = 15;

    private final RawConnection admin;
    private final String bootstrap;

    private QuotaRun(String bootstrap) throws Exception {
        this.bootstrap = bootstrap;
        admin = RawConnection.toFirstOf(bootstrap);
    }

    public static void main(String[] args) throws Exception {
        if (args.length != 1) {
            System.err.println("usage: QuotaRun BOOTSTRAP");
            System.exit(2);
        }
        QuotaRun run = new QuotaRun(args[0]);
        run.create("quota", 1, 7);
        run.create("quota-read", 1, 7);
        for (int i = 0; i < BATCHES / 2; i++) {
            run.produce(run.admin, "quota-read", BATCH_BYTES);
        }
        run.producer();
        run.consumer();
        run.mutations();
        run.requests();
        run.connections();
    }

    // --- requests ----------------------------------------------------------------------------------

    /** A quota of this client; 0 takes it back. */
    private void quota(String key, double value) throws Exception {
        quota(key, value, "user", "ANONYMOUS", "client-id", CLIENT);
    }

    /** A quota of an entity: pairs of type and name, null for the default. */
    private void quota(String key, double value, String... entity) throws Exception {
        AlterClientQuotasRequestData.EntryData entry = new AlterClientQuotasRequestData.EntryData();
        for (int i = 0; i < entity.length; i += 2) {
            entry.entity().add(new AlterClientQuotasRequestData.EntityData().setEntityType(entity[i]).setEntityName(entity[i + 1]));
        }
        entry.ops().add(new AlterClientQuotasRequestData.OpData().setKey(key).setValue(value).setRemove(value == 0));
        AlterClientQuotasResponseData answer = (AlterClientQuotasResponseData) admin.ask(
            new AlterClientQuotasRequestData().setEntries(List.of(entry)), 1);
        if (answer.entries().get(0).errorCode() != 0) {
            throw new IllegalStateException(answer.toString());
        }
        // It is in force a moment after it is known.
        for (int i = 0; i < 10; i++) {
            Thread.sleep(30);
            admin.ask(new DescribeClientQuotasRequestData(), 1);
        }
    }

    private CreateTopicsResponseData create(String name, int partitions, int version) throws Exception {
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(20_000);
        request.topics().add(new CreateTopicsRequestData.CreatableTopic().setName(name).setNumPartitions(partitions)
            .setReplicationFactor((short) 1));
        return (CreateTopicsResponseData) admin.ask(request, version);
    }

    private ProduceResponseData produce(RawConnection connection, String topic, int bytes) throws Exception {
        byte[] value = new byte[bytes];
        new Random(bytes).nextBytes(value);
        ProduceRequestData request = new ProduceRequestData().setAcks((short) -1).setTimeoutMs(20_000);
        request.topicData().add(new ProduceRequestData.TopicProduceData().setName(topic).setPartitionData(List.of(
            new ProduceRequestData.PartitionProduceData().setIndex(0)
                .setRecords(MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(value))))));
        for (int i = 0; i < 200; i++) {
            ProduceResponseData answer = (ProduceResponseData) connection.ask(request, 9);
            if (answer.responses().iterator().next().partitionResponses().get(0).errorCode() == 0) {
                return answer;
            }
            Thread.sleep(50); // a topic that was made just now
        }
        throw new IllegalStateException("nothing can be produced");
    }

    private FetchResponseData fetch(RawConnection connection) throws Exception {
        FetchRequestData request = new FetchRequestData().setMaxBytes(50_000_000).setMinBytes(1).setMaxWaitMs(500).setReplicaId(-1);
        request.setTopics(List.of(new FetchRequestData.FetchTopic().setTopic("quota-read").setPartitions(List.of(
            new FetchRequestData.FetchPartition().setPartition(0).setFetchOffset(0).setPartitionMaxBytes(50_000_000)))));
        return (FetchResponseData) connection.ask(request, 12);
    }

    private static int records(FetchResponseData answer) {
        return answer.responses().isEmpty() ? 0 : ((Records) answer.responses().get(0).partitions().get(0).records()).sizeInBytes();
    }

    private static void tell(String what, Object value) {
        System.out.println(what + ": " + value);
    }

    /** Whether a time to wait is as expected, or what it is. */
    private static String about(long got, double expected) {
        return Math.abs(got - expected) <= TOLERANCE_MS ? "as expected" : got + " ms, not " + Math.round(expected);
    }

    /** How long an amount above the quota has to wait. */
    private static double wait(int bytes) {
        double rate = bytes * 1000.0 / WINDOW_MS;
        return (rate - BYTES_PER_SECOND) / BYTES_PER_SECOND * WINDOW_MS;
    }

    /** Whether the connection is not heard for as long since the answer that told it to wait. */
    private static boolean isMute(RawConnection connection, int waitMs, long answered) throws Exception {
        connection.ask(new ApiVersionsRequestData().setClientSoftwareName("x").setClientSoftwareVersion("1"), 3);
        return (System.nanoTime() - answered) / 1_000_000 >= waitMs - TOLERANCE_MS;
    }

    // --- what quotas do ----------------------------------------------------------------------------

    private void producer() throws Exception {
        quota("producer_byte_rate", BYTES_PER_SECOND);
        try (RawConnection connection = RawConnection.toFirstOf(bootstrap); RawConnection other = RawConnection.toFirstOf(bootstrap)) {
            int size = BATCH_BYTES * BATCHES + 200;
            ProduceResponseData answer = produce(connection, "quota", size);
            long answered = System.nanoTime();
            tell("a producer waits", about(answer.throttleTimeMs(), wait(size)));
            tell("so does another one of its name", produce(other, "quota", 1).throttleTimeMs() > 0);
            tell("and is made to", isMute(connection, answer.throttleTimeMs(), answered));
        }
        quota("producer_byte_rate", 0);
        tell("without a quota it does not", produce(admin, "quota", 1).throttleTimeMs());
    }

    private void consumer() throws Exception {
        quota("consumer_byte_rate", BYTES_PER_SECOND);
        try (RawConnection connection = RawConnection.toFirstOf(bootstrap)) {
            FetchResponseData first = fetch(connection);
            tell("a consumer gets what the quota has room for", records(first) / BATCH_BYTES + " batches");
            tell("and does not wait", first.throttleTimeMs());
            FetchResponseData second = fetch(connection);
            long answered = System.nanoTime();
            tell("above it there are no records", records(second));
            tell("and it waits", about(second.throttleTimeMs(), wait(2 * records(first))));
            tell("and is made to", isMute(connection, second.throttleTimeMs(), answered));
        }
        quota("consumer_byte_rate", 0);
        tell("without a quota there are more", records(fetch(admin)) / BATCH_BYTES + " batches");
    }

    private void mutations() throws Exception {
        quota("controller_mutation_rate", MUTATIONS_PER_SECOND);
        CreateTopicsResponseData big = create("quota-big", BURST_SECONDS * MUTATIONS_PER_SECOND + OVERDRAWN, 7);
        tell("one request may overdraw", big.topics().find("quota-big").errorCode());
        CreateTopicsResponseData refused = create("quota-small", 1, 7);
        long answered = System.nanoTime();
        tell("the next one is refused", refused.topics().find("quota-small").errorCode() + " "
            + refused.topics().find("quota-small").errorMessage());
        try (RawConnection another = RawConnection.toFirstOf(bootstrap); RawConnection third = RawConnection.toFirstOf(bootstrap)) {
            CreatePartitionsRequestData more = new CreatePartitionsRequestData().setTimeoutMs(20_000);
            more.topics().add(new CreatePartitionsRequestData.CreatePartitionsTopic().setName("quota").setCount(2).setAssignments(null));
            CreatePartitionsResponseData grown = (CreatePartitionsResponseData) another.ask(more, 3);
            tell("so are more partitions", grown.results().get(0).errorCode() + " " + grown.results().get(0).errorMessage());
            DeleteTopicsRequestData less = new DeleteTopicsRequestData().setTimeoutMs(20_000)
                .setTopics(List.of(new DeleteTopicsRequestData.DeleteTopicState().setName("quota")));
            DeleteTopicsResponseData deleted = (DeleteTopicsResponseData) third.ask(less, 6);
            tell("and a deletion", deleted.responses().find("quota").errorCode() + " " + deleted.responses().find("quota").errorMessage());
        }
        int wait = refused.throttleTimeMs();
        tell("until the bucket is full enough", wait > 0 && wait <= OVERDRAWN * 1000 / MUTATIONS_PER_SECOND);
        tell("and is made to wait", isMute(admin, wait, answered));
        tell("then it may", create("quota-small", 1, 7).topics().find("quota-small").errorCode());
        create("quota-bigger", OVERDRAWN, 7);
        CreateTopicsResponseData old = create("quota-old", 1, 5);
        tell("an old client is not refused", old.topics().find("quota-old").errorCode());
        tell("but waits", old.throttleTimeMs() > 0);
        quota("controller_mutation_rate", 0);
    }

    private void requests() throws Exception {
        quota("request_percentage", 1e-7);
        ApiMessage answer = admin.ask(new ListGroupsRequestData(), 4);
        int wait = ((ListGroupsResponseData) answer).throttleTimeMs();
        tell("requests wait, a second at most", wait > 0 && wait <= 1000);
        quota("request_percentage", 0);
    }

    /** How many of some connections, made at once, are answered; the others are closed. */
    private int answered() throws Exception {
        List<RawConnection> made = new ArrayList<>();
        int answered = 0;
        for (int i = 0; i < CONNECTIONS; i++) {
            made.add(RawConnection.toFirstOf(bootstrap));
        }
        for (RawConnection connection : made) {
            try (connection) {
                connection.ask(new ApiVersionsRequestData().setClientSoftwareName("x").setClientSoftwareVersion("1"), 3);
                answered++;
            } catch (SocketTimeoutException e) {
                throw e;
            } catch (IOException e) {
                // It was closed.
            }
        }
        return answered;
    }

    private void connections() throws Exception {
        String key = "connection_creation_rate";
        quota(key, 1, "ip", null);
        tell("an address may make ten seconds' connections at once", answered());
        long limit = System.nanoTime() + 20_000_000_000L;
        int later = 0;
        while (later == 0 && System.nanoTime() < limit) {
            try (RawConnection connection = RawConnection.toFirstOf(bootstrap)) {
                connection.ask(new ApiVersionsRequestData().setClientSoftwareName("x").setClientSoftwareVersion("1"), 3);
                later++;
            } catch (SocketTimeoutException e) {
                throw e;
            } catch (IOException e) {
                // Not yet.
            }
        }
        tell("and some more later", later);
        quota(key, 1000, "ip", "127.0.0.1");
        tell("its own quota goes before that of all", answered());
        quota(key, 0, "ip", "127.0.0.1");
        quota(key, 0, "ip", null);
    }
}
