package kdl.share;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import kdl.topics.Topics;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Java share consumers of one group, with a broker that is killed meanwhile by a command: every
 * record is accepted, and none comes again once its acceptance was answered. One whose acceptance
 * was not answered may come again, or be accepted: the group's lag tells that the broker has it.
 */
public final class ShareRun {
    private static final int MEMBERS = 3;
    private static final long LIMIT_MS = 300_000;

    private final String bootstrap;
    private final String command;
    private final int records;
    private final int kills;
    private final Set<String> given = ConcurrentHashMap.newKeySet();
    private final Set<String> accepted = ConcurrentHashMap.newKeySet(); // and that was answered
    private final Set<String> again = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean over = new AtomicBoolean();
    private volatile int killed;
    private long lag;

    private ShareRun(String[] args) {
        bootstrap = args[0];
        command = args[1];
        records = Integer.parseInt(args[2]);
        kills = Integer.parseInt(args[3]);
    }

    public static void main(String[] args) throws Exception {
        if (args.length != 4) {
            System.err.println("usage: ShareRun BOOTSTRAP KILL-COMMAND RECORDS KILLS");
            System.exit(2);
        }
        System.exit(new ShareRun(args).run() ? 0 : 1);
    }

    private boolean run() throws Exception {
        begin();
        List<Thread> members = new ArrayList<>();
        for (int i = 0; i < MEMBERS; i++) {
            Thread member = new Thread(this::consume, "member-" + i);
            member.start();
            members.add(member);
        }
        long end = System.currentTimeMillis() + LIMIT_MS;
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            while (!(given.size() == records && lag(admin) == 0) && System.currentTimeMillis() < end) {
                Thread.sleep(20);
            }
        }
        over.set(true);
        for (Thread member : members) {
            member.join(TimeUnit.SECONDS.toMillis(60));
        }
        System.err.println(accepted.size() + " acceptances were answered");
        System.out.println(records + " sent, " + given.size() + " given, lag " + lag + ", " + again.size() + " again, " + killed + " kills");
        return given.size() == records && lag == 0 && again.isEmpty() && killed == kills;
    }

    /** Records that are not done, as the broker has it; it may just be down. */
    private long lag(Admin admin) throws Exception {
        try {
            lag = admin.listShareGroupOffsets(Map.of("run", new ListShareGroupOffsetsSpec())).partitionsToOffsetInfo("run").get().values().stream()
                .mapToLong(info -> info.lag().orElse(1L)).sum();
        } catch (ExecutionException e) {
            lag = -1;
        }
        return lag;
    }

    /** The member that comes past the next mark has the broker killed, in the middle of what the others do: one at a time. */
    private synchronized void killIfDue() throws Exception {
        if (killed < kills && accepted.size() > (long) records * (killed + 1) / (kills + 1)) {
            killed++;
            new ProcessBuilder(command).inheritIO().start().waitFor();
        }
    }

    private void begin() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            Topics.make(admin, List.of(new NewTopic("shared", 3, (short) 1)));
            admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.GROUP, "run"), List.of(
                new AlterConfigOp(new ConfigEntry("share.auto.offset.reset", "earliest"), AlterConfigOp.OpType.SET)))).all().get();
        }
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap),
            new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < records; i++) {
                producer.send(new ProducerRecord<>("shared", i % 3, null, "value-" + i));
            }
            producer.flush();
        }
    }

    /** Records are accepted when the commit was answered without an error for their partition. */
    private void consume() {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "group.id", "run",
            "share.acknowledgement.mode", "explicit", "max.poll.records", 50, "default.api.timeout.ms", 60000));
        try (KafkaShareConsumer<String, String> consumer = new KafkaShareConsumer<>(config, new StringDeserializer(),
            new StringDeserializer())) {
            consumer.subscribe(List.of("shared"));
            while (!over.get()) {
                Set<String> said = new HashSet<>();
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                    if (accepted.contains(record.value())) {
                        again.add(record.value());
                    }
                    said.add(record.value());
                    consumer.acknowledge(record, AcknowledgeType.ACCEPT);
                }
                if (said.isEmpty()) {
                    continue;
                }
                given.addAll(said);
                if (consumer.commitSync().values().stream().noneMatch(java.util.Optional::isPresent)) {
                    accepted.addAll(said);
                    killIfDue();
                }
            }
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
