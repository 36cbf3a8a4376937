package kdl.txn;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import kdl.wire.RawConnection;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopic;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopicCollection;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTransaction;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTransactionCollection;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.DescribeProducersRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeProducersResponseData;
import org.apache.kafka.common.message.DescribeTransactionsRequestData;
import org.apache.kafka.common.message.DescribeTransactionsResponseData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ListTransactionsRequestData;
import org.apache.kafka.common.message.ListTransactionsResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData.WritableTxnMarker;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData.WritableTxnMarkerTopic;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * Asks a broker everything about transactions by raw requests and prints a line for each thing that it sees, so that two
 * brokers can be compared line by line. Arguments: BOOTSTRAP [exhaust]; with the latter, epochs are used up, which takes a
 * minute. The topic and the ids are made here; nothing depends on
 * producer ids' values or on time.
 */
public final class TxnObserver {
    private static final String TOPIC = "observed";
    private static final int PARTITIONS = 60;

    private final RawConnection connection;
    private final List<String> group = List.of("observer-group");
    private final boolean exhausts;

    private TxnObserver(RawConnection connection, boolean exhausts) {
        this.connection = connection;
        this.exhausts = exhausts;
    }

    public static void main(String[] args) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
            admin.createTopics(List.of(new NewTopic(TOPIC, PARTITIONS, (short) 1))).all().get();
        }
        try (RawConnection connection = RawConnection.toFirstOf(args[0])) {
            new TxnObserver(connection, args.length > 1 && args[1].equals("exhaust")).observeAll();
        }
    }

    private void observeAll() throws IOException {
        features();
        coordinators();
        inits();
        if (exhausts) {
            exhaustion();
        }
        adding();
        verifying();
        producing();
        ends();
        newEnds();
        fencing();
        markers();
        offsets();
        describing();
        administration();
        interleaved();
        many();
    }

    private static void see(String what, Object... values) {
        StringBuilder line = new StringBuilder(what).append(':');
        for (Object value : values) {
            line.append(' ').append(value);
        }
        System.out.println(line);
    }

    private RawProducer producer(String id) throws IOException {
        RawProducer producer = new RawProducer(connection, id, TOPIC);
        // Twice, so that there is an epoch before its own.
        int code = Math.max(producer.init(), producer.init());
        if (code != 0) {
            throw new IOException("no producer " + id + ": " + code);
        }
        return producer;
    }

    private void features() throws IOException {
        ApiVersionsResponseData answer = (ApiVersionsResponseData) connection.ask(
            new ApiVersionsRequestData().setClientSoftwareName("observer").setClientSoftwareVersion("1"), 4);
        answer.finalizedFeatures().stream().filter(f -> f.name().equals("transaction.version"))
            .forEach(f -> see("finalized transaction.version", f.minVersionLevel(), f.maxVersionLevel()));
        answer.supportedFeatures().stream().filter(f -> f.name().equals("transaction.version"))
            .forEach(f -> see("supported transaction.version", f.minVersion(), f.maxVersion()));
        for (short key : new short[] {22, 24, 25, 26, 27, 28, 61, 65, 66}) {
            answer.apiKeys().stream().filter(k -> k.apiKey() == key).forEach(k -> see("api " + key, k.minVersion(), k.maxVersion()));
        }
    }

    private void coordinators() throws IOException {
        for (int version : new int[] {1, 3}) {
            see("coordinator v" + version, RawProducer.untilReady(() -> ((FindCoordinatorResponseData) connection.ask(
                new FindCoordinatorRequestData().setKey("some-id").setKeyType((byte) 1), version)).errorCode(), false));
        }
        see("coordinators v4", RawProducer.untilReady(() -> {
            FindCoordinatorResponseData answer = (FindCoordinatorResponseData) connection.ask(
                new FindCoordinatorRequestData().setCoordinatorKeys(List.of("a", "b")).setKeyType((byte) 1), 4);
            return Math.max(answer.coordinators().get(0).errorCode(), answer.coordinators().get(1).errorCode());
        }, false));
        see("group coordinator", RawProducer.untilReady(() -> ((FindCoordinatorResponseData) connection.ask(
            new FindCoordinatorRequestData().setKey(group.get(0)).setKeyType((byte) 0), 3)).errorCode(), false));
    }

    private void inits() throws IOException {
        RawProducer p = new RawProducer(connection, "init", TOPIC);
        for (int version = 0; version <= 5; version++) {
            long before = p.producerId;
            see("init v" + version, p.init(version, -1, (short) -1), p.epoch, version == 0 || before == p.producerId);
        }
        long id = p.producerId;
        short epoch = p.epoch;
        see("init with the current epoch", p.init(4, id, epoch), p.epoch - epoch, p.producerId == id);
        see("init again with the epoch before", p.init(4, id, epoch), p.epoch - epoch);
        see("init with a stale epoch", p.init(4, id, (short) (epoch - 1)), p.init(3, id, (short) (epoch - 1)));
        see("init with a future epoch", p.init(4, id, (short) (epoch + 5)));
        see("init with another producer id", p.init(4, id + 1000, epoch));
        see("init with half an identity", p.init(4, id, (short) -1), p.init(4, -1, epoch));
        RawProducer empty = new RawProducer(connection, "", TOPIC);
        see("init of an empty id", empty.init());
        for (int timeout : new int[] {0, -1, 900_000, 900_001, Integer.MAX_VALUE}) {
            RawProducer t = new RawProducer(connection, "init-timeout", TOPIC);
            t.timeoutMs = timeout;
            see("init with timeout " + timeout, t.init());
        }
        RawProducer unknown = new RawProducer(connection, "init-unknown", TOPIC);
        see("init of an unknown id with an identity", unknown.init(4, 123456, (short) 3), unknown.epoch);
        RawProducer open = producer("init-open");
        see("open", open.add(3, 0), open.produce(11, 0));
        InitProducerIdResponseData first = open.initOnce(5, -1, (short) -1);
        see("init while a transaction is open", first.errorCode(), first.producerId(), first.producerEpoch());
        short before = open.epoch;
        see("init until it works", open.init(), open.epoch - before);
    }

    /** Ends raise the epoch: from 32766 on comes a new producer id. */
    private void exhaustion() throws IOException {
        RawProducer p = producer("exhausted");
        long id = p.producerId;
        while (p.epoch < Short.MAX_VALUE - 3) {
            int code = p.init(4, id, p.epoch);
            if (code != 0) {
                see("exhaustion stops", code, p.epoch);
                return;
            }
        }
        for (int i = 0; i < 4; i++) {
            RawProducer late = p.copy();
            see("exhausted, end " + i, p.produce(12, 1), p.end(5, i % 2 == 0), p.epoch, p.producerId == id);
            see("exhausted, retry " + i, late.end(5, i % 2 == 0), late.epoch == p.epoch, late.producerId == p.producerId);
        }
        RawProducer q = producer("exhausted-by-init");
        long qid = q.producerId;
        while (q.epoch < Short.MAX_VALUE - 1 && q.init(4, qid, q.epoch) == 0) {
            continue;
        }
        see("epochs of init end with", q.epoch, q.init(4, qid, q.epoch), q.epoch, q.producerId == qid);
    }

    private void adding() throws IOException {
        for (int version = 0; version <= 3; version++) {
            RawProducer p = producer("add-" + version);
            see("add v" + version, p.add(version, 0), p.add(version, 0), p.add(version, 1));
            see("add v" + version + " unknown", p.add(version, "missing", 0), p.add(version, PARTITIONS));
            RawProducer old = p.copy();
            old.epoch--;
            RawProducer next = p.copy();
            next.epoch++;
            RawProducer other = p.copy();
            other.producerId += 1000;
            RawProducer unknown = new RawProducer(connection, "nobody", TOPIC);
            unknown.producerId = p.producerId;
            unknown.epoch = 0;
            see("add v" + version + " refused", old.add(version, 2), next.add(version, 2), other.add(version, 2),
                unknown.add(version, 2), old.addOffsets(version, group.get(0)), unknown.addOffsets(version, group.get(0)));
            see("end", p.end(3, false));
        }
        RawProducer p = producer("add-mixed");
        AddPartitionsToTxnTopicCollection topics = new AddPartitionsToTxnTopicCollection();
        topics.add(new AddPartitionsToTxnTopic().setName(TOPIC).setPartitions(List.of(0, 99)));
        topics.add(new AddPartitionsToTxnTopic().setName("missing").setPartitions(List.of(0)));
        AddPartitionsToTxnResponseData answer = (AddPartitionsToTxnResponseData) connection.ask(new AddPartitionsToTxnRequestData()
            .setV3AndBelowTransactionalId(p.id).setV3AndBelowProducerId(p.producerId).setV3AndBelowProducerEpoch(p.epoch)
            .setV3AndBelowTopics(topics), 3);
        TreeSet<String> codes = new TreeSet<>();
        answer.resultsByTopicV3AndBelow().forEach(t -> t.resultsByPartition()
            .forEach(r -> codes.add(t.name() + "-" + r.partitionIndex() + "=" + r.partitionErrorCode())));
        see("add mixed", codes);
        see("nothing was added", state(p.id));
    }

    private void verifying() throws IOException {
        RawProducer p = producer("verify");
        see("verify, add", p.add(3, 1));
        for (String id : new String[] {"verify", "verify-unknown"}) {
            for (int epochs = -1; epochs <= 1; epochs++) {
                AddPartitionsToTxnTransactionCollection txns = new AddPartitionsToTxnTransactionCollection();
                AddPartitionsToTxnTopicCollection topics = new AddPartitionsToTxnTopicCollection();
                topics.add(new AddPartitionsToTxnTopic().setName(TOPIC).setPartitions(List.of(0, 1)));
                txns.add(new AddPartitionsToTxnTransaction().setTransactionalId(id).setProducerId(p.producerId)
                    .setProducerEpoch((short) (p.epoch + epochs)).setVerifyOnly(true).setTopics(topics));
                AddPartitionsToTxnResponseData answer = (AddPartitionsToTxnResponseData) connection.ask(
                    new AddPartitionsToTxnRequestData().setTransactions(txns), 5);
                TreeSet<String> codes = new TreeSet<>();
                answer.resultsByTransaction().forEach(r -> r.topicResults().forEach(t -> t.resultsByPartition()
                    .forEach(q -> codes.add(q.partitionIndex() + "=" + q.partitionErrorCode()))));
                see("verify " + id + " epoch " + epochs, codes);
            }
        }
        see("verify, end", p.end(3, true));
    }

    private void producing() throws IOException {
        for (int version : new int[] {9, 10, 11, 12}) {
            RawProducer p = producer("produce-" + version);
            see("produce v" + version + " to what was not added", p.produce(version, 3), state(p.id));
            if (version < 12) {
                see("added", p.add(3, 3), p.produce(version, 3), p.produce(version, 3));
            }
            // Before what fails its verification: Kafka remembers the sequence of that, and refuses later ones with 45.
            RawProducer plain = p.copy();
            see("plain records inside", plain.produce(version, 3, false));
            RawProducer other = p.copy();
            other.producerId += 1000;
            other.sequence = 0;
            RawProducer old = p.copy();
            old.epoch--;
            old.sequence = 0;
            RawProducer next = p.copy();
            next.epoch++;
            next.sequence = 0;
            see("produce v" + version + " refused", other.produce(version, 4), old.produce(version, 3), old.produce(version, 4),
                next.produce(version, 3), next.produce(version, 4));
            RawProducer late = p.copy();
            see("end", p.end(version < 12 ? 4 : 5, version % 2 == 0));
            awaitState(p.id, version % 2 == 0 ? "CompleteCommit" : "CompleteAbort");
            late.sequence++;
            see("produce v" + version + " after the end", late.produce(version, 3), late.produce(version, 5));
            late.sequence = 0;
            see("produce v" + version + " after the end, from 0", late.produce(version, 5));
        }
        RawProducer nobody = new RawProducer(connection, "produce-nobody", TOPIC);
        nobody.producerId = 987654;
        nobody.epoch = 0;
        see("produce of an unknown id", nobody.produce(11, 0), nobody.produce(12, 0));
        RawProducer p = producer("produce-sequence");
        p.sequence = 5;
        see("first sequence 5, v12", p.produce(12, 6), p.end(5, false)); // left open, its timeout would end it some time
        RawProducer q = producer("produce-sequence-old");
        see("first sequence 5, v11", q.add(3, 7));
        q.sequence = 5;
        see("first sequence 5, v11", q.produce(11, 7), q.end(3, false));
    }

    private void ends() throws IOException {
        for (boolean commit : new boolean[] {true, false}) {
            for (int version : new int[] {0, 1, 2, 3, 4}) {
                RawProducer p = producer("end-" + version + commit);
                see("end v" + version + " of nothing", p.end(version, commit));
                see("begin", p.add(3, 8), p.produce(11, 8));
                RawProducer old = p.copy();
                old.epoch--;
                RawProducer other = p.copy();
                other.producerId += 1000;
                RawProducer unknown = p.copy();
                RawProducer nobody = new RawProducer(connection, "nobody", TOPIC);
                nobody.producerId = unknown.producerId;
                nobody.epoch = 0;
                see("end v" + version + " refused", old.end(version, commit), other.end(version, commit), nobody.end(version, commit));
                see("end v" + version + " " + commit, p.end(version, commit));
                awaitState(p.id, commit ? "CompleteCommit" : "CompleteAbort");
                see("again, and the other way", p.end(version, commit), p.end(version, !commit), state(p.id));
            }
        }
    }

    private void newEnds() throws IOException {
        for (boolean commit : new boolean[] {true, false}) {
            RawProducer p = producer("new-end-" + commit);
            short epoch = p.epoch;
            see("v5 end of nothing " + commit, p.end(5, commit), p.epoch - epoch);
            RawProducer q = p.copy();
            see("v5 begin", p.produce(12, 9), p.end(5, commit));
            awaitState(p.id, commit ? "CompleteCommit" : "CompleteAbort");
            RawProducer retry = q.copy();
            see("v5 retry", retry.end(5, commit), retry.epoch == p.epoch, retry.producerId == p.producerId);
            retry = q.copy();
            see("v5 retry the other way", retry.end(5, !commit));
            retry = q.copy();
            retry.epoch -= 2;
            see("v5 stale", retry.end(5, commit), retry.end(4, commit));
            epoch = p.epoch;
            see("v5 after " + commit + ": commit", p.end(5, true), p.epoch - epoch);
            see("v5 after " + commit + ": abort", p.end(5, false), p.epoch - epoch);
            awaitState(p.id, "CompleteAbort");
            see("v5 produce with the epoch before", q.produce(12, 9));
            see("v5 next", p.produce(12, 9), p.end(5, true));
            awaitState(p.id, "CompleteCommit");
        }
    }

    private void fencing() throws IOException {
        RawProducer old = producer("fenced");
        see("old begins", old.produce(12, 10));
        RawProducer now = new RawProducer(connection, "fenced", TOPIC);
        see("new one", now.init(), now.epoch - old.epoch, now.producerId == old.producerId);
        see("old is out", old.end(5, true), old.end(4, true), old.end(1, true), old.produce(12, 10), old.produce(11, 10),
            old.add(3, 10), old.add(1, 10), old.commitOffset(5, group.get(0), 1), old.commitOffset(3, group.get(0), 1));
        see("new one works", now.produce(12, 10), now.end(5, true));
        awaitStable(10);
        see("fenced records", visible(10));
    }

    private void markers() throws IOException {
        RawProducer p = producer("markers-new");
        see("markers", p.produce(12, 11), p.produce(12, 11), p.end(5, true));
        awaitStable(11);
        see("markers", p.produce(12, 11), p.end(5, false));
        awaitStable(11);
        RawProducer q = producer("markers-old");
        see("markers", q.add(3, 11), q.produce(11, 11), q.end(3, true));
        awaitStable(11);
        for (RecordBatch batch : batches(11, (byte) 0)) {
            Record record = batch.iterator().next();
            see("batch " + batch.baseOffset(), batch.isControlBatch(), batch.isTransactional(),
                batch.producerId() == p.producerId ? "p" : "q", batch.producerEpoch(), batch.baseSequence(),
                batch.isControlBatch() ? hex(record.key()) + " " + hex(record.value()) : "");
        }
        see("visible", visible(11));
        see("aborted list", aborted(11));
    }

    private void offsets() throws IOException {
        String g = group.get(0);
        RawProducer p = producer("offsets");
        see("v3 without adding", p.commitOffset(3, g, 5), p.commitOffset(4, g, 5));
        see("v3", p.addOffsets(3, g), p.commitOffset(3, g, 5), offset(g, true), offset(g, false));
        see("commit", p.end(3, true));
        awaitOffset(g, 5);
        see("v5", p.commitOffset(5, g, 6), offset(g, true), offset(g, false), state(p.id));
        see("abort", p.end(5, false));
        awaitState(p.id, "CompleteAbort");
        awaitOffset(g, 5);
        see("metadata", p.commitOffset(5, g, 7, "x".repeat(4096), -1, ""), p.commitOffset(5, g, 7, "x".repeat(4097), -1, ""),
            p.commitOffset(5, g, 7, null, -1, ""));
        see("zombies", p.commitOffset(5, g, 8, "", 3, "member"), p.commitOffset(5, g, 8, "", 3, ""), p.commitOffset(5, g, 8, "", -1, "member"),
            p.commitOffset(5, "group-unknown", 8, "", 3, "member"));
        RawProducer late = p.copy();
        see("commit", p.end(5, true));
        awaitOffset(g, 8);
        see("late", late.commitOffset(5, g, 9), late.commitOffset(3, g, 9));
        see("empty group", p.commitOffset(5, "", 1));
        RawProducer missing = new RawProducer(connection, p.id, "missing");
        missing.producerId = p.producerId;
        missing.epoch = p.epoch;
        see("unknown topic", missing.commitOffset(5, g, 1));
        RawProducer nobody = new RawProducer(connection, "nobody", TOPIC);
        nobody.producerId = p.producerId;
        nobody.epoch = p.epoch;
        see("unknown id", nobody.commitOffset(5, g, 1), nobody.commitOffset(4, g, 1), nobody.commitOffset(3, g, 1));
    }

    private void describing() throws IOException {
        RawProducer p = producer("describe");
        see("described empty", describe(p));
        see("begin", p.produce(12, 12), p.produce(12, 12), p.commitOffset(5, group.get(0), 20));
        see("described ongoing", describe(p));
        see("its producers", producers(12, p));
        see("end", p.end(5, true));
        awaitState(p.id, "CompleteCommit");
        see("described complete", describe(p));
        see("its producers", producers(12, p));
        see("describe unknown", state("describe-unknown"), state(""));
        for (List<String> states : List.of(List.<String>of(), List.of("CompleteCommit", "Nonsense", "ongoing"), List.of("Dead"))) {
            ListTransactionsResponseData answer = list(new ListTransactionsRequestData().setStateFilters(states)
                .setProducerIdFilters(List.of(p.producerId)), 1);
            see("listed " + states, answer.errorCode(), answer.transactionStates().size(), answer.unknownStateFilters());
        }
        for (String pattern : new String[] {"describe", "descr", "d.*e", "^describe$", "[a-z]{8}", "DESCRIBE", "", "a(b", "x|describe", "\\w+"}) {
            ListTransactionsResponseData answer = list(new ListTransactionsRequestData().setTransactionalIdPattern(pattern)
                .setProducerIdFilters(List.of(p.producerId)).setStateFilters(List.of("CompleteCommit", "Nonsense")), 2);
            see("listed by pattern '" + pattern + "'", answer.errorCode(), answer.transactionStates().size(), answer.unknownStateFilters());
        }
        see("by duration", list(new ListTransactionsRequestData().setDurationFilter(0).setProducerIdFilters(List.of(p.producerId)), 1)
            .transactionStates().size(), list(new ListTransactionsRequestData().setDurationFilter(3_600_000)
            .setProducerIdFilters(List.of(p.producerId)), 1).transactionStates().size());
    }

    private void administration() throws IOException {
        RawProducer p = producer("observed-hanging");
        see("hanging", p.produce(12, 13));
        see("markers refused", marker(p, -1, 0, 1, 13), marker(p, 0, 0, 2, 13), marker(p, 0, 0, 1, 99), marker(p, 0, 0, 1, "missing", 0));
        see("hangs", producers(13, p));
        see("admin abort", marker(p, 0, 0, 1, 13), producers(13, p));
        RawProducer unknown = new RawProducer(connection, "", TOPIC);
        see("unknown producer", marker(unknown, 1, 0, 2, 14), marker(unknown, 1, 5, 1, 14), producers(14, unknown));
        see("older coordinator", marker(unknown, 1, 4, 1, 14));
        awaitStable(13);
        see("visible", visible(13));
        see("the coordinator knows nothing of it", state(p.id), p.end(5, false));
        awaitState(p.id, "CompleteAbort");
    }

    private void interleaved() throws IOException {
        RawProducer a = producer("inter-a");
        RawProducer b = producer("inter-b");
        RawProducer c = producer("inter-c");
        see("interleaved", a.produce(12, 15), b.produce(12, 15), c.produce(12, 15), a.produce(12, 15), b.produce(12, 15),
            lastStable(15), a.end(5, true));
        awaitState(a.id, "CompleteCommit");
        see("first ended", lastStable(15), c.produce(12, 15), b.end(5, false));
        awaitState(b.id, "CompleteAbort");
        see("second ended", lastStable(15), c.end(5, true));
        awaitStable(15);
        see("all", visible(15), aborted(15), lastStable(15));
    }

    private void many() throws IOException {
        RawProducer p = producer("many");
        TreeSet<Integer> codes = new TreeSet<>();
        for (int i = 20; i < PARTITIONS; i++) {
            p.sequence = 0;
            codes.add(p.produce(12, i));
        }
        see("many", codes, p.end(5, true));
        awaitState(p.id, "CompleteCommit");
        TreeSet<Long> ends = new TreeSet<>();
        for (int i = 20; i < PARTITIONS; i++) {
            ends.add(lastStable(i));
        }
        see("stable ends", ends);
    }

    // --- what is looked at ------------------------------------------------------------------------------------------

    private DescribeTransactionsResponseData.TransactionState describeRaw(String id) throws IOException {
        return ((DescribeTransactionsResponseData) connection.ask(
            new DescribeTransactionsRequestData().setTransactionalIds(List.of(id)), 0)).transactionStates().get(0);
    }

    private String state(String id) throws IOException {
        DescribeTransactionsResponseData.TransactionState state = describeRaw(id);
        return state.errorCode() + "/" + state.transactionState();
    }

    private String describe(RawProducer p) throws IOException {
        DescribeTransactionsResponseData.TransactionState state = describeRaw(p.id);
        TreeSet<String> partitions = new TreeSet<>();
        state.topics().forEach(t -> t.partitions().forEach(i -> partitions.add(t.topic() + "-" + i)));
        return state.errorCode() + " " + state.transactionState() + " " + state.transactionTimeoutMs() + " "
            + (state.transactionStartTimeMs() > 0) + " " + (state.producerId() == p.producerId) + " "
            + (state.producerEpoch() - p.epoch) + " " + partitions;
    }

    private ListTransactionsResponseData list(ListTransactionsRequestData request, int version) throws IOException {
        return (ListTransactionsResponseData) connection.ask(request, version);
    }

    private String producers(int partition, RawProducer p) throws IOException {
        DescribeProducersResponseData answer = (DescribeProducersResponseData) connection.ask(new DescribeProducersRequestData()
            .setTopics(List.of(new TopicRequest().setName(TOPIC).setPartitionIndexes(List.of(partition)))), 0);
        List<String> lines = new ArrayList<>();
        answer.topics().get(0).partitions().get(0).activeProducers().forEach(s -> lines.add((s.producerId() == p.producerId)
            + "/" + s.producerEpoch() + "/" + s.lastSequence() + "/" + s.coordinatorEpoch() + "/" + s.currentTxnStartOffset()));
        return lines.toString();
    }

    private int marker(RawProducer p, int epochs, int coordinatorEpoch, int version, int partition) throws IOException {
        return marker(p, epochs, coordinatorEpoch, version, TOPIC, partition);
    }

    /** Version 1 of the request knows no transaction version; 2 has the transaction version 2. */
    private int marker(RawProducer p, int epochs, int coordinatorEpoch, int version, String topic, int partition) throws IOException {
        WriteTxnMarkersResponseData answer = (WriteTxnMarkersResponseData) connection.ask(new WriteTxnMarkersRequestData()
            .setMarkers(List.of(new WritableTxnMarker().setProducerId(p.producerId < 0 ? 555_555 : p.producerId)
                .setProducerEpoch((short) (p.epoch + epochs)).setTransactionResult(false).setCoordinatorEpoch(coordinatorEpoch)
                .setTransactionVersion((byte) (version == 2 ? 2 : 0))
                .setTopics(List.of(new WritableTxnMarkerTopic().setName(topic).setPartitionIndexes(List.of(partition)))))), version);
        return answer.markers().get(0).topics().get(0).partitions().get(0).errorCode();
    }

    private FetchResponseData.PartitionData fetch(int partition, byte isolation) throws IOException {
        FetchResponseData answer = (FetchResponseData) connection.ask(new FetchRequestData().setMaxWaitMs(0).setMinBytes(0)
            .setMaxBytes(1 << 24).setIsolationLevel(isolation).setTopics(List.of(new FetchTopic().setTopic(TOPIC).setPartitions(
                List.of(new FetchPartition().setPartition(partition).setFetchOffset(0).setPartitionMaxBytes(1 << 24))))), 12);
        return answer.responses().get(0).partitions().get(0);
    }

    private List<RecordBatch> batches(int partition, byte isolation) throws IOException {
        List<RecordBatch> batches = new ArrayList<>();
        ((MemoryRecords) fetch(partition, isolation).records()).batches().forEach(batches::add);
        return batches;
    }

    private long lastStable(int partition) throws IOException {
        return fetch(partition, (byte) 1).lastStableOffset();
    }

    private void awaitStable(int partition) throws IOException {
        for (int i = 0; i < 500; i++) {
            FetchResponseData.PartitionData data = fetch(partition, (byte) 1);
            if (data.lastStableOffset() == data.highWatermark()) {
                return;
            }
            RawProducer.pause();
        }
        see("never stable", partition);
    }

    private void awaitState(String id, String wanted) throws IOException {
        for (int i = 0; i < 500; i++) {
            if (describeRaw(id).transactionState().equals(wanted)) {
                return;
            }
            RawProducer.pause();
        }
        see("never " + wanted, id, state(id));
    }

    /** The number of aborted transactions in the list, and their first offsets. */
    private String aborted(int partition) throws IOException {
        List<Long> firsts = new ArrayList<>();
        fetch(partition, (byte) 1).abortedTransactions().forEach(t -> firsts.add(t.firstOffset()));
        return firsts.toString();
    }

    /** What a read_committed consumer sees: offsets of the records. */
    private String visible(int partition) throws IOException {
        FetchResponseData.PartitionData data = fetch(partition, (byte) 1);
        List<FetchResponseData.AbortedTransaction> aborted = new ArrayList<>(data.abortedTransactions());
        TreeSet<Long> aborting = new TreeSet<>();
        List<Long> offsets = new ArrayList<>();
        for (RecordBatch batch : ((MemoryRecords) data.records()).batches()) {
            aborted.removeIf(t -> t.firstOffset() <= batch.lastOffset() && aborting.add(t.producerId()));
            if (batch.isControlBatch()) {
                aborting.remove(batch.producerId());
            } else if (!aborting.contains(batch.producerId())) {
                offsets.add(batch.baseOffset());
            }
        }
        return offsets.toString();
    }

    private String offset(String groupId, boolean stable) throws IOException {
        OffsetFetchResponseData answer = (OffsetFetchResponseData) connection.ask(new OffsetFetchRequestData().setRequireStable(stable)
            .setGroups(List.of(new OffsetFetchRequestGroup().setGroupId(groupId).setTopics(
                List.of(new OffsetFetchRequestTopics().setName(TOPIC).setPartitionIndexes(List.of(0)))))), 8);
        var partition = answer.groups().get(0).topics().get(0).partitions().get(0);
        return partition.errorCode() + "/" + partition.committedOffset() + "/" + partition.metadata().length();
    }

    private void awaitOffset(String groupId, long wanted) throws IOException {
        for (int i = 0; i < 500; i++) {
            String now = offset(groupId, true);
            if (now.startsWith("0/" + wanted + "/")) {
                see("offset", now);
                return;
            }
            RawProducer.pause();
        }
        see("never the offset", wanted, offset(groupId, true));
    }

    private static String hex(java.nio.ByteBuffer buffer) {
        return java.util.HexFormat.of().formatHex(org.apache.kafka.common.utils.Utils.toArray(buffer));
    }
}
