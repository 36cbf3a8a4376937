package kdl.streamsgroups;

import java.util.List;
import org.apache.kafka.common.message.AddOffsetsToTxnRequestData;
import org.apache.kafka.common.message.AddOffsetsToTxnResponseData;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;

/** Offsets of streams groups: by members of all epochs, by strangers, in transactions, and without them. */
final class StreamsOffsets {
    private static final int VERSION_OF_MANY_GROUPS = 8;
    private static final int VERSION_OF_TOPIC_IDS = 10;
    private static final String TRANSACTIONAL_ID = "streams-txn";

    private final StreamsBroker broker;

    StreamsOffsets(StreamsBroker broker) {
        this.broker = broker;
    }

    private StreamsMember joined(String group, String id, String topic) throws Exception {
        return new StreamsMember(broker, group, id).joins(id + " joins", StreamsRequests.join(group, id, StreamsRequests.plain(topic))).beats(id
            + " has all");
    }

    void offsets() throws Exception {
        String g = "offsets";
        broker.ask("commit to no group", broker.commit("nowhere", "m1", 1, "t1", 0), 9);
        broker.ask("commit without a member to no group", broker.commit("nowhere", "", -1, "t1", 0), 9);
        broker.ask("delete it", StreamsRequests.delete("nowhere"), 2);
        StreamsMember m1 = joined(g, "m1", "t1");
        for (int version = 2; version <= VERSION_OF_TOPIC_IDS; version++) {
            broker.ask("commit", broker.commit(g, "m1", m1.epoch(), "t1", 0, 1), version);
        }
        broker.ask("commit what it does not read", broker.commit(g, "m1", m1.epoch(), "t2", 0, 9), 9);
        broker.ask("commit an unknown topic", broker.commit(g, "m1", m1.epoch(), "t99", 0), 10);
        broker.ask("commit of an earlier epoch", broker.commit(g, "m1", m1.epoch() - 1, "t1", 0), 9);
        broker.ask("commit of a later epoch", broker.commit(g, "m1", m1.epoch() + 1, "t1", 0), 9);
        broker.ask("commit of a stranger", broker.commit(g, "m9", 1, "t1", 0), 9);
        broker.ask("commit of nobody", broker.commit(g, "", -1, "t1", 0), 9);
        for (int version = 1; version <= VERSION_OF_TOPIC_IDS; version++) {
            broker.ask("fetch", version < VERSION_OF_MANY_GROUPS ? StreamsRequests.fetchOne(g, "t1", 0, 2) : broker.fetch(g, null, -1, "t1", 0, 2), version);
        }
        broker.ask("fetch all", broker.fetch(g, null, -1, null), 9);
        broker.ask("fetch of a member", broker.fetch(g, "m1", m1.epoch(), "t1", 0), 9);
        broker.ask("fetch of an earlier epoch", broker.fetch(g, "m1", m1.epoch() - 1, "t1", 0), 9);
        broker.ask("fetch of a later epoch", broker.fetch(g, "m1", m1.epoch() + 1, "t1", 0), 9);
        broker.ask("fetch of a stranger", broker.fetch(g, "m9", 1, "t1", 0), 9);
        broker.ask("fetch of a stranger by ids", broker.fetch(g, "m9", 1, "t1", 0), 10);
        int before = m1.epoch();
        StreamsMember m2 = joined(g, "m2", "t1");
        StreamsMember.settle("two", m1, m2);
        for (int partition = 0; partition < 3; partition++) {
            broker.ask("m1 commits with its old epoch", broker.commit(g, "m1", before, "t1", partition), 9);
            broker.ask("m1 commits with its old epoch", broker.commit(g, "m1", before, "t1", partition), 10);
            broker.ask("m2 commits with a low epoch", broker.commit(g, "m2", before, "t1", partition), 9);
        }
        broker.ask("m1 commits with its old epoch what it does not read", broker.commit(g, "m1", before, "t2", 0), 9);
        broker.ask("m1 commits with its old epoch what is not there", broker.commit(g, "m1", before, "t1", 0, 9), 9);
        deletes(g);
        broker.beats("leaves", StreamsRequests.beat(g, "m1", -1));
        broker.beats("leaves", StreamsRequests.beat(g, "m2", -1));
        broker.ask("commit of nobody to the empty group", broker.commit(g, "", -1, "t1", 2), 9);
        broker.ask("commit of a stranger to the empty group", broker.commit(g, "m9", 3, "t1", 2), 9);
        broker.ask("forget what nobody reads any more", StreamsRequests.forget(g, "t1", 0), 0);
        broker.ask("fetch", broker.fetch(g, null, -1, null), 9);
        broker.ask("describe", StreamsRequests.describe(g), 0);
    }

    private void deletes(String g) throws Exception {
        broker.ask("forget what is read", StreamsRequests.forget(g, "t1", 0), 0);
        broker.ask("forget what is not read", StreamsRequests.forget(g, "t2", 0, 3), 0);
        broker.ask("forget what is not there", StreamsRequests.forget(g, "t99", 0), 0);
        broker.ask("forget of no group", StreamsRequests.forget("nowhere", "t1", 0), 0);
    }

    void transactions() throws Exception {
        String g = "transactions";
        StreamsMember m1 = joined(g, "m1", "t1");
        broker.await(() -> (FindCoordinatorResponseData) broker.broker.ask(new FindCoordinatorRequestData().setKeyType((byte) 1).setCoordinatorKeys(
            List.of(TRANSACTIONAL_ID)), 6), answer -> answer.coordinators().get(0).errorCode() == 0);
        InitProducerIdResponseData producer = broker.await(() -> (InitProducerIdResponseData) broker.broker.ask(new InitProducerIdRequestData()
            .setTransactionalId(TRANSACTIONAL_ID).setTransactionTimeoutMs(60_000), 4), answer -> answer.errorCode() == 0);
        long id = producer.producerId();
        int epoch = producer.producerEpoch();
        int before = m1.epoch();
        StreamsMember m2 = joined(g, "m2", "t1");
        StreamsMember.settle("two", m1, m2);
        begin(g, id, epoch);
        for (int version = 3; version <= 4; version++) {
            broker.ask("commit", StreamsRequests.commitTxn(g, "m1", m1.epoch(), id, epoch, "t1", 0), version);
            broker.ask("commit of nobody", StreamsRequests.commitTxn(g, "", -1, id, epoch, "t1", 1), version);
            broker.ask("commit of a stranger", StreamsRequests.commitTxn(g, "m9", 1, id, epoch, "t1", 1), version);
            broker.ask("commit of a later epoch", StreamsRequests.commitTxn(g, "m1", m1.epoch() + 1, id, epoch, "t1", 0), version);
            for (int partition = 0; partition < 3; partition++) {
                broker.ask("commit of an earlier epoch", StreamsRequests.commitTxn(g, "m1", before, id, epoch, "t1", partition), version);
            }
            broker.ask("commit of an earlier epoch of what it does not read", StreamsRequests.commitTxn(g, "m1", before, id, epoch, "t2", 0), version);
        }
        for (int version = 0; version <= 2; version++) {
            broker.ask("commit by an old client", StreamsRequests.commitTxn(g, "", -1, id, epoch, "t1", 2), version);
        }
        broker.ask("what is stable", broker.fetch(g, null, -1, "t1", 0, 1, 2).setRequireStable(true), 9);
        broker.ask("what is committed", broker.fetch(g, null, -1, "t1", 0, 1, 2), 9);
        end(id, epoch, true);
        broker.broker.askSettled("after the commit", broker.fetch(g, null, -1, null).setRequireStable(true), 9);
        begin(g, id, epoch);
        broker.ask("commit", StreamsRequests.commitTxn(g, "m1", m1.epoch(), id, epoch, "t2", 0), 3);
        end(id, epoch, false);
        broker.broker.askSettled("after the abort", broker.fetch(g, null, -1, null).setRequireStable(true), 9);
        broker.beats("leaves", StreamsRequests.beat(g, "m1", -1));
        broker.beats("leaves", StreamsRequests.beat(g, "m2", -1));
    }

    /** The markers of the transaction before may not be written yet. */
    private void begin(String group, long id, int epoch) throws Exception {
        broker.await(() -> (AddOffsetsToTxnResponseData) broker.broker.ask(new AddOffsetsToTxnRequestData().setTransactionalId(TRANSACTIONAL_ID)
            .setProducerId(id).setProducerEpoch((short) epoch).setGroupId(group), 3), answer -> answer.errorCode() == 0);
    }

    private void end(long id, int epoch, boolean commits) throws Exception {
        broker.await(() -> (EndTxnResponseData) broker.broker.ask(new EndTxnRequestData().setTransactionalId(TRANSACTIONAL_ID).setProducerId(id)
            .setProducerEpoch((short) epoch).setCommitted(commits), 4), answer -> answer.errorCode() == 0);
    }
}
