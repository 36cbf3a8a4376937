package kdl.estate;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kdl.topics.Topics;

/**
 * Builds an estate of topics, applications and groups with known traits in a cluster, and writes
 * down what is true of it. Run: Estate BOOTSTRAP TRUTH_FILE [--scale N] [--many N] [--hold]
 */
final class Estate {
    private final World world;
    private final Truth truth = new Truth();
    private final PlainTopics plain = new PlainTopics();
    private final TransactionalTopics transactional = new TransactionalTopics();
    private final FlinkJob flink = new FlinkJob();
    private final CompactedTopics compacted = new CompactedTopics();
    private final StreamsApps streams = new StreamsApps();
    private final Groups groups = new Groups();

    private final ManyTopics many;

    private Estate(World world, int many) {
        this.world = world;
        this.many = new ManyTopics(many);
    }

    public static void main(String[] args) {
        int scale = 1;
        int many = 0;
        boolean hold = false;
        for (int i = 2; i < args.length; i++) {
            if (args[i].equals("--hold")) {
                hold = true;
            } else if (args[i].equals("--scale") && i + 1 < args.length && args[i + 1].matches("[1-9]\\d{0,3}")) {
                scale = Integer.parseInt(args[++i]);
            } else if (args[i].equals("--many") && i + 1 < args.length && args[i + 1].matches("\\d{1,4}")) {
                many = Integer.parseInt(args[++i]);
            } else {
                usage();
            }
        }
        if (args.length < 2) {
            usage();
        }
        try (World world = new World(args[0], scale)) {
            new Estate(world, many).build(Path.of(args[1]).toAbsolutePath());
            if (hold) {
                System.out.println("READY");
                while (System.in.read() >= 0) {
                    continue;
                }
            }
        } catch (Exception e) {
            e.printStackTrace();
            System.exit(1);
        }
        System.exit(0);
    }

    private static void usage() {
        System.err.println("usage: Estate BOOTSTRAP TRUTH_FILE [--scale N] [--many N] [--hold]");
        System.exit(2);
    }

    private void build(Path truthFile) throws Exception {
        for (Part part : List.of(plain, transactional, flink, compacted, streams, groups, many)) {
            part.declare(world, truth);
        }
        Topics.make(world.admin, truth.topics().stream().filter(t -> !t.isMadeByApplication()).map(TopicTruth::creation).toList());
        // The applications work through their input while the rest is written.
        streams.make(world);
        plain.make(world);
        compacted.make(world);
        transactional.make(world);
        flink.make(world);
        many.make(world);
        groups.make(world);
        groups.await(world);
        streams.await(world);
        TransactionalTopics.awaitMarkers(world);
        truth.write(truthFile, head());
    }

    private Map<String, Object> head() {
        Map<String, Object> head = new LinkedHashMap<>();
        head.put("bootstrap", world.bootstrap);
        head.put("cluster_id", World.get(world.admin.describeCluster().clusterId()));
        head.put("scale", world.scale);
        return head;
    }
}
