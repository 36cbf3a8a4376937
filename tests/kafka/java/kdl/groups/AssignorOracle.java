package kdl.groups;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.ConsumerGroupPartitionAssignor;
import org.apache.kafka.coordinator.group.api.assignor.MemberAssignment;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.RangeAssignor;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;
import org.apache.kafka.coordinator.group.modern.Assignment;
import org.apache.kafka.coordinator.group.modern.GroupSpecImpl;
import org.apache.kafka.coordinator.group.modern.MemberSubscriptionAndAssignmentImpl;

/**
 * Kafka's own server-side assignors on the groups of a file that assignor_peer made; the answer is
 * printed as assignor_peer prints its own. Where Kafka goes by the order of a hash table the members
 * come in the order of the file, and of an even assignment only sizes are told.
 */
public final class AssignorOracle {
    private static final HexFormat HEX = HexFormat.of();

    private ConsumerGroupPartitionAssignor assignor;
    private SubscriptionType type;
    private final Map<Uuid, Integer> topics = new LinkedHashMap<>();
    private final List<Uuid> topicIds = new ArrayList<>();
    private final Map<String, MemberSubscriptionAndAssignmentImpl> members = new LinkedHashMap<>();
    private final Map<Uuid, Map<Integer, String>> owners = new HashMap<>();

    private AssignorOracle() {}

    public static void main(String[] args) throws IOException {
        if (args.length != 1) {
            System.err.println("usage: AssignorOracle FILE");
            System.exit(2);
        }
        StringBuilder out = new StringBuilder();
        AssignorOracle group = null;
        try (BufferedReader in = Files.newBufferedReader(Path.of(args[0]), StandardCharsets.UTF_8)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] words = line.split(" ", -1);
                switch (words[0]) {
                    case "group" -> {
                        group = new AssignorOracle();
                        group.assignor = words[2].equals("range") ? new RangeAssignor() : new UniformAssignor();
                        group.type = SubscriptionType.valueOf(words[3]);
                        out.append(line).append('\n');
                    }
                    case "topic" -> group.topic(words);
                    case "member" -> group.member(words);
                    case "end" -> group.solve(out);
                    default -> throw new IOException("what is " + line);
                }
            }
        }
        System.out.print(out);
    }

    private void topic(String[] words) {
        ByteBuffer bytes = ByteBuffer.wrap(HEX.parseHex(words[1]));
        Uuid id = new Uuid(bytes.getLong(), bytes.getLong());
        topics.put(id, Integer.valueOf(words[2]));
        topicIds.add(id);
    }

    private Map<Uuid, Set<Integer>> parts(String text) {
        Map<Uuid, Set<Integer>> parts = new TreeMap<>();
        for (String part : text.equals("-") ? new String[0] : text.split(",")) {
            String[] numbers = part.split(":");
            parts.computeIfAbsent(topicIds.get(Integer.parseInt(numbers[0])), id -> new TreeSet<>())
                .add(Integer.valueOf(numbers[1]));
        }
        return parts;
    }

    private void member(String[] words) {
        Set<Uuid> reads = new LinkedHashSet<>();
        for (String topic : words[3].equals("-") ? new String[0] : words[3].split(",")) {
            reads.add(topicIds.get(Integer.parseInt(topic)));
        }
        Map<Uuid, Set<Integer>> owned = parts(words[4]);
        owned.forEach((id, partitions) -> partitions.forEach(
            partition -> owners.computeIfAbsent(id, any -> new HashMap<>()).put(partition, words[1])));
        members.put(words[1], new MemberSubscriptionAndAssignmentImpl(Optional.empty(),
            words[2].equals("-") ? Optional.empty() : Optional.of(words[2]), reads, new Assignment(owned)));
    }

    private void solve(StringBuilder out) {
        SubscribedTopicDescriber describer = new SubscribedTopicDescriber() {
            @Override
            public int numPartitions(Uuid topicId) {
                return topics.getOrDefault(topicId, -1);
            }

            @Override
            public Set<String> racksForPartition(Uuid topicId, int partition) {
                return Set.of();
            }
        };
        Map<String, MemberAssignment> result =
            assignor.assign(new GroupSpecImpl(members, type, owners), describer).members();
        boolean sizesOnly = assignor instanceof UniformAssignor && type == SubscriptionType.HOMOGENEOUS;
        members.forEach((id, member) -> {
            MemberAssignment got = result.get(id);
            Map<Uuid, Set<Integer>> partitions = got == null ? Map.of() : got.partitions();
            out.append(id);
            if (sizesOnly) {
                int size = 0;
                int kept = 0;
                for (Map.Entry<Uuid, Set<Integer>> entry : partitions.entrySet()) {
                    for (int partition : entry.getValue()) {
                        size++;
                        kept += member.partitions().getOrDefault(entry.getKey(), Set.of()).contains(partition) ? 1 : 0;
                    }
                }
                out.append(' ').append(size).append(" kept ").append(kept);
            } else {
                for (int i = 0; i < topicIds.size(); i++) {
                    for (int partition : new TreeSet<>(partitions.getOrDefault(topicIds.get(i), Set.of()))) {
                        out.append(' ').append(i).append(':').append(partition);
                    }
                }
            }
            out.append('\n');
        });
    }
}
