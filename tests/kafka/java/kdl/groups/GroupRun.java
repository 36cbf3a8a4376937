package kdl.groups;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import kdl.topics.Topics;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Kafka's own consumers in groups: each scenario is a story with an end that must come, and prints
 * "ok NAME" or fails. While a scenario runs no partition may belong to two members at one time.
 */
public final class GroupRun {
    private static final int TIMEOUT_MS = 60_000;
    private static final int PARTITIONS = 6;

    private final String bootstrap;
    private final String restart; // a command, or null
    private final Map<String, Member> members = new TreeMap<>();
    private final Map<TopicPartition, String> owners = new HashMap<>();
    private final Map<TopicPartition, Long> read = new HashMap<>(); // the next offset
    private final List<String> wrong = new ArrayList<>();
    private String topic;
    private String group;

    private GroupRun(String bootstrap, String restart) {
        this.bootstrap = bootstrap;
        this.restart = restart;
    }

    public static void main(String[] args) throws Exception {
        if (args.length < 2) {
            System.err.println("usage: GroupRun BOOTSTRAP RESTART-COMMAND [SCENARIO]...");
            System.exit(2);
        }
        int failed = 0;
        for (String protocol : List.of("classic", "consumer")) {
            failed += run(args, "rebalance-" + protocol, r -> r.rebalance(protocol));
            failed += run(args, "static-" + protocol, r -> r.statics(protocol));
            failed += run(args, "restart-" + protocol, r -> r.restarted(protocol));
        }
        failed += run(args, "pattern", GroupRun::pattern);
        failed += run(args, "grow", GroupRun::grow);
        failed += run(args, "migrate", GroupRun::migrate);
        System.exit(failed == 0 ? 0 : 1);
    }

    private interface Scenario {
        void play(GroupRun run) throws Exception;
    }

    private static int run(String[] args, String name, Scenario scenario) {
        if (args.length > 2 && !List.of(args).subList(2, args.length).contains(name)) {
            return 0;
        }
        GroupRun run = new GroupRun(args[0], args[1]);
        run.topic = "run-" + name;
        run.group = "group-" + name;
        try {
            run.make(run.topic, PARTITIONS);
            run.produce(run.topic, PARTITIONS);
            scenario.play(run);
            run.endAll();
            synchronized (run.owners) {
                run.require(run.wrong.isEmpty(), String.join("; ", run.wrong));
            }
            System.out.println("ok " + name);
            return 0;
        } catch (Exception | AssertionError e) {
            System.out.println("failed " + name + ": " + e);
            for (Member member : run.members.values()) {
                System.out.println("# " + member.name + " has " + member.has() + (member.failure == null ? "" : ", " + member.failure));
            }
            run.endAll();
            return 1;
        }
    }

    // --- scenarios ---------------------------------------------------------------------------------

    private void rebalance(String protocol) throws Exception {
        start("a", protocol, null);
        await("a has all", () -> has("a") == PARTITIONS);
        start("b", protocol, null);
        await("both have half", () -> has("a") == 3 && has("b") == 3);
        start("c", protocol, null);
        await("each has a third", () -> has("a") == 2 && has("b") == 2 && has("c") == 2);
        end("a");
        await("the others take over", () -> has("b") == 3 && has("c") == 3);
        end("b");
        await("the last one has all", () -> has("c") == PARTITIONS);
        await("all is read", () -> readAll());
    }

    private void statics(String protocol) throws Exception {
        start("a", protocol, "ia");
        start("b", protocol, "ib");
        await("both have half", () -> has("a") == 3 && has("b") == 3);
        Set<TopicPartition> before = member("a").has();
        int disturbed = member("b").rebalances;
        end("a");
        start("a", protocol, "ia");
        await("a is back", () -> has("a") == 3);
        require(before.equals(member("a").has()), "it had " + before);
        require(member("b").rebalances == disturbed, "b was disturbed");
    }

    private void restarted(String protocol) throws Exception {
        start("a", protocol, null);
        start("b", protocol, null);
        await("both have half", () -> has("a") == 3 && has("b") == 3);
        await("all is read", () -> readAll());
        Thread.sleep(300); // commits of what was read last
        await("nothing is under way", this::isStable); // a generation that is not settled is lost with the broker
        String id = member("a").memberId();
        Process process = new ProcessBuilder(restart).inheritIO().start();
        require(process.waitFor() == 0, "the restart failed");
        produce(topic, PARTITIONS);
        await("more is read", () -> readAll());
        // A client that lost its only broker bootstraps again and knows no partitions for a moment, for which a leader joins anew.
        await("nothing is under way again", this::isStable);
        await("both have half still", () -> has("a") == 3 && has("b") == 3);
        require(id.equals(member("a").memberId()), "a has another id");
    }

    private void pattern() throws Exception {
        Member member = new Member("a", "consumer", null, new SubscriptionPattern("run-pattern.*"));
        members.put("a", member);
        member.start();
        await("it has the topic", () -> has("a") == PARTITIONS);
        make("run-pattern-more", 2);
        await("it has the new topic too", () -> has("a") == PARTITIONS + 2);
    }

    private void grow() throws Exception {
        start("a", "consumer", null);
        await("a has all", () -> has("a") == PARTITIONS);
        try (Admin admin = admin()) {
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(PARTITIONS + 3))).all().get();
        }
        await("a has the new ones", () -> has("a") == PARTITIONS + 3);
    }

    /** An application goes from one protocol to the other, member by member, and back. */
    private void migrate() throws Exception {
        start("old1", "classic", null);
        start("old2", "classic", null);
        await("both have half", () -> has("old1") == 3 && has("old2") == 3);
        require(type().equals("Classic"), type());
        start("new1", "consumer", null);
        await("three share", () -> has("old1") == 2 && has("old2") == 2 && has("new1") == 2);
        require(type().equals("Consumer"), type());
        end("old1");
        start("new2", "consumer", null);
        end("old2");
        await("two new ones", () -> has("new1") == 3 && has("new2") == 3);
        start("old3", "classic", null);
        await("one is back", () -> has("new1") == 2 && has("new2") == 2 && has("old3") == 2);
        end("new1");
        await("two are left", () -> has("new2") == 3 && has("old3") == 3);
        end("new2");
        await("it has all", () -> has("old3") == PARTITIONS);
        require(type().equals("Classic"), type());
        await("all is read", () -> readAll());
    }

    // --- the tools of the stories ------------------------------------------------------------------

    private Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", bootstrap));
    }

    private void make(String name, int partitions) throws Exception {
        try (Admin admin = admin()) {
            Topics.make(admin, List.of(new NewTopic(name, partitions, (short) 1)));
        }
    }

    private String type() throws Exception {
        try (Admin admin = admin()) {
            return admin.listGroups().all().get().stream().filter(listed -> listed.groupId().equals(group))
                .findFirst().orElseThrow().type().orElseThrow().toString();
        }
    }

    private boolean isStable() {
        try (Admin admin = admin()) {
            return admin.describeConsumerGroups(List.of(group)).all().get().get(group).groupState() == GroupState.STABLE;
        } catch (Exception e) {
            return false;
        }
    }

    private void produce(String name, int partitions) {
        Map<String, Object> config = Map.of("bootstrap.servers", bootstrap);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < 100 * partitions; i++) {
                producer.send(new ProducerRecord<>(name, i % partitions, null, "v" + i));
            }
        }
    }

    private boolean readAll() {
        try (KafkaConsumer<String, String> asker = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap), new StringDeserializer(),
            new StringDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (int i = 0; i < PARTITIONS; i++) {
                partitions.add(new TopicPartition(topic, i));
            }
            Map<TopicPartition, Long> ends = asker.endOffsets(partitions);
            synchronized (owners) {
                return ends.equals(read);
            }
        }
    }

    private Member member(String name) {
        return members.get(name);
    }

    private int has(String name) {
        return member(name).has().size();
    }

    private void start(String name, String protocol, String instance) {
        Member member = new Member(name, protocol, instance, null);
        members.put(name, member);
        member.start();
    }

    private void end(String name) throws InterruptedException {
        Member member = members.remove(name);
        member.stopping.set(true);
        member.join(TIMEOUT_MS);
    }

    private void endAll() {
        for (String name : new ArrayList<>(members.keySet())) {
            try {
                end(name);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private void require(boolean is, String what) {
        if (!is) {
            throw new AssertionError(what);
        }
    }

    private void await(String what, BooleanSupplier condition) throws InterruptedException {
        long until = System.currentTimeMillis() + TIMEOUT_MS;
        while (!condition.getAsBoolean()) {
            for (Member member : members.values()) {
                require(member.failure == null, member.name + ": " + member.failure);
            }
            require(System.currentTimeMillis() < until, "waited in vain: " + what);
            Thread.sleep(50);
        }
    }

    private final class Member extends Thread implements ConsumerRebalanceListener {
        private final String name;
        private final AtomicBoolean stopping = new AtomicBoolean();
        private final Properties config = new Properties();
        private final SubscriptionPattern pattern;
        private final Set<TopicPartition> owned = new HashSet<>();
        private volatile String id = "";
        private volatile int rebalances;
        private volatile Throwable failure;

        private Member(String name, String protocol, String instance, SubscriptionPattern pattern) {
            super(name);
            this.name = name;
            this.pattern = pattern;
            config.put("bootstrap.servers", bootstrap);
            config.put("group.id", group);
            config.put("client.id", name);
            config.put("group.protocol", protocol);
            config.put("auto.offset.reset", "earliest");
            config.put("auto.commit.interval.ms", "100");
            config.put("metadata.max.age.ms", "1000");
            if (protocol.equals("classic")) {
                config.put("heartbeat.interval.ms", "500");
                config.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
            }
            if (instance != null) {
                config.put("group.instance.id", instance);
            }
        }

        private Set<TopicPartition> has() {
            synchronized (owners) {
                return Set.copyOf(owned);
            }
        }

        private String memberId() {
            return id;
        }

        @Override
        public void run() {
            try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
                if (pattern != null) {
                    consumer.subscribe(pattern, this);
                } else {
                    consumer.subscribe(List.of(topic), this);
                }
                while (!stopping.get()) {
                    for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(50))) {
                        take(record);
                    }
                    id = consumer.groupMetadata().memberId();
                }
            } catch (RuntimeException e) {
                failure = e;
            }
        }

        private void take(ConsumerRecord<String, String> record) {
            TopicPartition partition = new TopicPartition(record.topic(), record.partition());
            synchronized (owners) {
                long next = read.getOrDefault(partition, 0L);
                if (record.offset() > next) {
                    wrong.add(partition + " jumps from " + next + " to " + record.offset());
                }
                read.put(partition, Math.max(next, record.offset() + 1));
            }
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            synchronized (owners) {
                rebalances += partitions.isEmpty() ? 0 : 1;
                for (TopicPartition partition : partitions) {
                    String before = owners.put(partition, name);
                    if (before != null && !before.equals(name)) {
                        wrong.add(partition + " of " + before + " came to " + name);
                    }
                    owned.add(partition);
                }
            }
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            synchronized (owners) {
                rebalances += partitions.isEmpty() ? 0 : 1;
                for (TopicPartition partition : partitions) {
                    owners.remove(partition, name);
                    owned.remove(partition);
                }
            }
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            if (!stopping.get()) { // a consumer that closes within a rebalance calls its partitions lost
                synchronized (owners) {
                    wrong.add(name + " lost " + partitions);
                }
            }
            onPartitionsRevoked(partitions);
        }
    }
}
