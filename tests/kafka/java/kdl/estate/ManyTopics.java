package kdl.estate;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * Many topics of which each joins traits at random (the same ones each time): how it is cleaned, who wrote it and how, with which codec, into which of its
 * partitions, and who reads it. Among them what is easily overlooked: one transaction of one record among thousands of records, transactions of which nothing is
 * stored any more, names that speak of Streams.
 */
final class ManyTopics implements Part {
    private static final int GROUPS = 10;
    private static final int TRANSACTIONAL_IDS = 12;
    private static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};
    private static final String[] WRITERS = {"none", "plain", "idempotent", "committed", "aborted", "buried", "emptied"};

    private enum Cleaning { DELETE, TABLE, TABLE_DELETE, MISTAKE }

    private record Shape(String name, Cleaning cleaning, String writer, String codec, int partitions, int written, int group) {
        boolean isTransactional() {
            return List.of("committed", "aborted", "buried", "emptied").contains(writer);
        }
    }

    private final List<Shape> shapes = new ArrayList<>();

    ManyTopics(int count) {
        for (int i = 0; i < count; i++) {
            shapes.add(shape(i));
        }
    }

    private static Shape shape(int number) {
        SplittableRandom random = new SplittableRandom(number * 0x9E3779B97F4A7C15L);
        Cleaning cleaning = random.nextInt(2) == 0 ? Cleaning.DELETE : Cleaning.values()[random.nextInt(4)];
        String writer = WRITERS[random.nextInt(WRITERS.length)];
        if (cleaning != Cleaning.DELETE && (writer.equals("none") || writer.equals("emptied"))) {
            writer = "committed"; // of a compacted topic without a record nobody can tell whether its keys repeat
        }
        int partitions = 1 + random.nextInt(8);
        String name = "many." + number + "." + cleaning.name().toLowerCase().replace('_', '-') + "." + writer;
        if (cleaning == Cleaning.DELETE && random.nextInt(6) == 0) {
            name += "-changelog";
        }
        int group = random.nextInt(3) == 0 ? random.nextInt(GROUPS) : -1;
        return new Shape(name, cleaning, writer, CODECS[random.nextInt(CODECS.length)], partitions, 1 + random.nextInt(partitions), group);
    }

    @Override
    public void declare(World world, Truth truth) {
        Map<Integer, List<String>> read = new HashMap<>();
        for (Shape shape : shapes) {
            TopicTruth topic = truth.topic(shape.name, shape.partitions);
            switch (shape.cleaning) {
                case TABLE -> topic.compacted("compact", "a table: keys are re-written");
                case TABLE_DELETE -> topic.compacted("compact,delete", "a table with retention").config("retention.ms", "604800000");
                case MISTAKE -> topic.compacted("compact", "compact by mistake: no key ever comes twice");
                default -> { }
            }
            if (shape.isTransactional()) {
                topic.transactional("its writer: " + shape.writer);
            } else if (shape.writer.equals("idempotent")) {
                topic.idempotent();
            }
            if (shape.cleaning == Cleaning.MISTAKE && !shape.isTransactional()) {
                topic.changesNeeded("compacted by mistake");
            }
            if (shape.group >= 0) {
                read.computeIfAbsent(shape.group, g -> new ArrayList<>()).add(shape.name);
            }
        }
        read.forEach((group, topics) -> truth.group("many-readers-" + group, "classic", "EMPTY", "has committed offsets", topics.toArray(new String[0])));
    }

    private static final class Writers implements AutoCloseable {
        private final World world;
        private final Map<String, Producer<byte[], byte[]>> producers = new HashMap<>();

        Writers(World world) {
            this.world = world;
        }

        private Producer<byte[], byte[]> get(String id, String codec, Map<String, ?> conf) {
            return producers.computeIfAbsent(id + "-" + codec, key -> {
                Map<String, Object> all = new HashMap<>(conf);
                all.put("compression.type", codec);
                return world.producer(key, all);
            });
        }

        Producer<byte[], byte[]> plain(Shape shape) {
            return get("many-plain", shape.codec, Map.of("enable.idempotence", false));
        }

        Producer<byte[], byte[]> idempotent(Shape shape) {
            return get("many-idempotent", shape.codec, Map.of("enable.idempotence", true));
        }

        Producer<byte[], byte[]> transactional(Shape shape, int number) {
            String id = "many-app-" + number % TRANSACTIONAL_IDS;
            boolean fresh = !producers.containsKey(id + "-" + shape.codec);
            Producer<byte[], byte[]> producer = get(id, shape.codec, Map.of("transactional.id", id + "-" + shape.codec));
            if (fresh) {
                producer.initTransactions();
            }
            return producer;
        }

        @Override
        public void close() {
            producers.values().forEach(Producer::close);
        }
    }

    @Override
    public void make(World world) {
        try (Writers writers = new Writers(world)) {
            for (int i = 0; i < shapes.size(); i++) {
                write(world, writers, shapes.get(i), i);
            }
        }
        Map<TopicPartition, RecordsToDelete> emptied = new HashMap<>();
        for (Shape shape : shapes) {
            if (shape.writer.equals("emptied")) {
                for (int p = 0; p < shape.partitions; p++) {
                    emptied.put(new TopicPartition(shape.name, p), RecordsToDelete.beforeOffset(-1));
                }
            }
        }
        TransactionalTopics.awaitMarkers(world);
        World.get(world.admin.deleteRecords(emptied).all());
        for (int group = 0; group < GROUPS; group++) {
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
            for (Shape shape : shapes) {
                if (shape.group == group) {
                    offsets.put(new TopicPartition(shape.name, 0), new OffsetAndMetadata(0));
                }
            }
            if (!offsets.isEmpty()) {
                World.get(world.admin.alterConsumerGroupOffsets("many-readers-" + group, offsets).all());
            }
        }
    }

    private static void write(World world, Writers writers, Shape shape, int number) {
        switch (shape.writer) {
            case "plain" -> send(world, writers.plain(shape), shape, 0, 2000);
            case "idempotent" -> send(world, writers.idempotent(shape), shape, 0, 2000);
            case "committed", "aborted", "emptied" -> {
                Producer<byte[], byte[]> producer = writers.transactional(shape, number);
                for (int t = 0; t < 4; t++) {
                    producer.beginTransaction();
                    send(world, producer, shape, t * 500, 500);
                    if (shape.writer.equals("aborted")) {
                        producer.abortTransaction();
                    } else {
                        producer.commitTransaction();
                    }
                }
            }
            case "buried" -> {
                Producer<byte[], byte[]> producer = writers.transactional(shape, number);
                send(world, writers.plain(shape), shape, 0, 1500);
                producer.beginTransaction();
                send(world, producer, shape, 1500, 1);
                producer.commitTransaction();
                send(world, writers.plain(shape), shape, 1501, 1500);
            }
            default -> { }
        }
    }

    /** Into the first of its partitions, in turn; the keys of a table repeat. */
    private static void send(World world, Producer<byte[], byte[]> producer, Shape shape, int first, int count) {
        Content content = new Content(shape.name);
        World.send(producer, count, i -> {
            int record = first + i;
            byte[] key = shape.cleaning == Cleaning.TABLE || shape.cleaning == Cleaning.TABLE_DELETE ? content.keyOf(record, 100) : content.key(record);
            return new ProducerRecord<>(shape.name, record % shape.written, world.startMs - 60_000 + record, key, content.value(record));
        });
    }
}
