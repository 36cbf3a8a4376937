package kdl.estate;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Transactions: committed over three topics, aborted, left open, and with offsets inside. */
final class TransactionalTopics implements Part {
    private static final String[] PAYMENTS = {"payments.orders", "payments.invoices", "payments.ledger"};
    private static final int CARTS = 600;

    @Override
    public void declare(World world, Truth truth) {
        truth.topic("payments.orders", 6).transactional("payments-app writes it together with invoices and ledger");
        truth.topic("payments.invoices", 3).transactional("payments-app writes it together with orders and ledger");
        truth.topic("payments.ledger", 1).transactional("payments-app writes it together with orders and invoices");
        truth.topic("payments.refunds", 2).transactional("refunds-app writes it and aborts every time").fact("committed_records", 0);
        truth.topic("payments.holds", 2).transactional("holds-app has a transaction open").fact("open_transaction", true);
        truth.topic("shop.carts", 4).idempotent()
            .undecided("written without transactions, but its offsets are committed inside those of till-7");
        truth.topic("shop.checkouts", 4).transactional("till-7 writes it in its read-process-write loop");
        truth.transaction("payments-app", "CompleteCommit", "spans three topics; one transaction in five was aborted", PAYMENTS);
        truth.transaction("refunds-app", "CompleteAbort", "nothing but aborts", "payments.refunds");
        truth.transaction("holds-app", "Ongoing", "open for as long as the estate is held", "payments.holds");
        truth.transaction("till-7", "CompleteCommit", "read-process-write with offsets of group checkout", "shop.checkouts");
        truth.group("checkout", "classic", "EMPTY", "read-process-write; its offsets were committed inside transactions", "shop.carts");
    }

    @Override
    public void make(World world) {
        payments(world);
        refunds(world);
        checkout(world);
        holds(world);
    }

    /** A commit is answered before its markers are written: waits until those of all transactions are. */
    static void awaitMarkers(World world) {
        ListTransactionsOptions unfinished = new ListTransactionsOptions()
            .filterStates(List.of(TransactionState.PREPARE_COMMIT, TransactionState.PREPARE_ABORT));
        World.await("the markers of ended transactions", () -> World.get(world.admin.listTransactions(unfinished).all()).isEmpty());
    }

    static Producer<byte[], byte[]> transactional(World world, String id) {
        // The longest that a broker allows by default, so that a held transaction outlives any test.
        Producer<byte[], byte[]> producer = world.producer(id, Map.of("transactional.id", id, "transaction.timeout.ms", 900_000));
        producer.initTransactions();
        return producer;
    }

    private static ProducerRecord<byte[], byte[]> record(World world, String topic, int number) {
        Content content = new Content(topic);
        return new ProducerRecord<>(topic, null, world.startMs - 50_000 + number, content.keyOf(number, 300), content.value(number));
    }

    private static void payments(World world) {
        try (Producer<byte[], byte[]> producer = transactional(world, "payments-app")) {
            int transactions = 10 * world.scale;
            for (int t = 0; t < transactions; t++) {
                int first = t * 20;
                producer.beginTransaction();
                for (String topic : PAYMENTS) {
                    World.send(producer, 20, i -> record(world, topic, first + i));
                }
                if (t % 5 == 3) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                }
            }
        }
    }

    private static void refunds(World world) {
        try (Producer<byte[], byte[]> producer = transactional(world, "refunds-app")) {
            for (int t = 0; t < 3; t++) {
                int first = t * 30;
                producer.beginTransaction();
                World.send(producer, 30, i -> record(world, "payments.refunds", first + i));
                producer.abortTransaction();
            }
        }
    }

    private static void holds(World world) {
        Producer<byte[], byte[]> producer = world.keep(transactional(world, "holds-app"));
        producer.beginTransaction();
        World.send(producer, 50, i -> record(world, "payments.holds", i));
        producer.commitTransaction();
        producer.beginTransaction();
        // Into both partitions, by number: a hash might leave one without.
        Content content = new Content("payments.holds");
        World.send(producer, 40, i -> new ProducerRecord<>("payments.holds", i % 2, content.key(i), content.value(1000 + i)));
    }

    private static void checkout(World world) {
        world.write("carts-writer", Map.of(), CARTS, i -> record(world, "shop.carts", i));
        // Nothing in its name tells of the group.
        try (Producer<byte[], byte[]> producer = transactional(world, "till-7");
             KafkaConsumer<byte[], byte[]> consumer = world.consumer("checkout", Map.of("isolation.level", "read_committed", "max.poll.records", "100"))) {
            consumer.subscribe(List.of("shop.carts"));
            int done = 0;
            while (done < CARTS) {
                var records = consumer.poll(Duration.ofMillis(200));
                if (records.isEmpty()) {
                    continue;
                }
                producer.beginTransaction();
                Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
                for (ConsumerRecord<byte[], byte[]> cart : records) {
                    producer.send(new ProducerRecord<>("shop.checkouts", cart.key(), cart.value()));
                    positions.put(new TopicPartition(cart.topic(), cart.partition()), new OffsetAndMetadata(cart.offset() + 1));
                }
                producer.sendOffsetsToTransaction(positions, consumer.groupMetadata());
                producer.commitTransaction();
                done += records.count();
            }
        }
    }
}
