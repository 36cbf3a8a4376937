package kdl.share;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.MemberAssignment;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.SimpleAssignor;
import org.apache.kafka.coordinator.group.modern.Assignment;
import org.apache.kafka.coordinator.group.modern.GroupSpecImpl;
import org.apache.kafka.coordinator.group.modern.MemberSubscriptionAndAssignmentImpl;

/**
 * Kafka's own assignor of share groups on the groups of a file that share_assignor_peer made; the
 * answer is printed as that one prints its own, in the order in which it would be recorded. Members
 * come in the order of the file; what they read and have is in the tables that Kafka's coordinator
 * would have it in.
 */
public final class ShareAssignorOracle implements SubscribedTopicDescriber {
    private record Topic(Uuid id, String name, int partitions) {}

    private final SubscriptionType type;
    private final List<Topic> topics = new ArrayList<>();
    private final Map<String, MemberSubscriptionAndAssignmentImpl> members = new LinkedHashMap<>();

    private ShareAssignorOracle(SubscriptionType type) {
        this.type = type;
    }

    public static void main(String[] args) throws IOException {
        if (args.length != 1) {
            System.err.println("usage: ShareAssignorOracle FILE");
            System.exit(2);
        }
        StringBuilder out = new StringBuilder();
        ShareAssignorOracle group = null;
        try (BufferedReader in = Files.newBufferedReader(Path.of(args[0]), StandardCharsets.UTF_8)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] words = line.split(" ", -1);
                switch (words[0]) {
                    case "group" -> {
                        group = new ShareAssignorOracle(SubscriptionType.valueOf(words[2]));
                        out.append(line).append('\n');
                    }
                    case "topic" -> {
                        ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(words[1]));
                        group.topics.add(new Topic(new Uuid(bytes.getLong(), bytes.getLong()), words[2], Integer.parseInt(words[3])));
                    }
                    case "member" -> group.members.put(words[1], new MemberSubscriptionAndAssignmentImpl(Optional.empty(), Optional.empty(),
                        group.reads(words[2], Integer.parseInt(words[3])), group.owned(words[4])));
                    case "end" -> group.solve(out);
                    default -> throw new IOException("what is " + line);
                }
            }
        }
        System.out.print(out);
    }

    /** In the order of the set of all names, which came by name; those of no topic are passed over. */
    private Set<Uuid> reads(String places, int count) {
        Map<String, Uuid> known = new HashMap<>();
        for (String place : places.split(",")) {
            Topic topic = topics.get(Integer.parseInt(place));
            known.put(topic.name(), topic.id());
        }
        Set<String> names = new TreeSet<>(known.keySet());
        for (int i = names.size(); i < count; i++) {
            names.add("unknown" + i);
        }
        Set<Uuid> ids = new LinkedHashSet<>();
        new HashSet<>(new ArrayList<>(names)).stream().filter(known::containsKey).forEach(name -> ids.add(known.get(name)));
        return ids;
    }

    private Assignment owned(String text) {
        Map<Uuid, List<Integer>> told = new LinkedHashMap<>();
        for (String part : text.equals("-") ? new String[0] : text.split(",")) {
            String[] numbers = part.split(":");
            told.computeIfAbsent(topics.get(Integer.parseInt(numbers[0])).id(), id -> new ArrayList<>()).add(Integer.valueOf(numbers[1]));
        }
        Map<Uuid, Set<Integer>> owned = new HashMap<>();
        told.forEach((id, partitions) -> owned.put(id, new HashSet<>(partitions)));
        return new Assignment(owned);
    }

    private void solve(StringBuilder out) {
        Map<String, MemberAssignment> result = new SimpleAssignor().assign(new GroupSpecImpl(members, type, Map.of()), this).members();
        Map<Uuid, Integer> places = new HashMap<>();
        for (int i = 0; i < topics.size(); i++) {
            places.put(topics.get(i).id(), i);
        }
        members.keySet().forEach(member -> {
            out.append(member);
            result.get(member).partitions().forEach((id, partitions) -> out.append(' ').append(places.get(id)).append(':').append(String.join(",",
                partitions.stream().map(String::valueOf).toList())));
            out.append('\n');
        });
    }

    @Override
    public int numPartitions(Uuid topicId) {
        return topics.stream().filter(topic -> topic.id().equals(topicId)).mapToInt(Topic::partitions).findFirst().orElse(-1);
    }

    @Override
    public Set<String> racksForPartition(Uuid topicId, int partition) {
        return Set.of();
    }
}
