package kdl.streamsgroups;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.coordinator.group.streams.assignor.AssignmentMemberSpec;
import org.apache.kafka.coordinator.group.streams.assignor.GroupSpecImpl;
import org.apache.kafka.coordinator.group.streams.assignor.MemberAssignment;
import org.apache.kafka.coordinator.group.streams.assignor.StickyTaskAssignor;
import org.apache.kafka.coordinator.group.streams.assignor.TopologyDescriber;

/**
 * Kafka's own assignor of streams groups on the groups of a file that streams_assignor_peer made;
 * the answer is printed as that one prints its own. Members come in the order of the file.
 */
public final class StreamsAssignorOracle implements TopologyDescriber {
    private record Subtopology(int tasks, boolean isStateful) {}

    private final String standbys;
    private final Map<String, Subtopology> subtopologies = new LinkedHashMap<>();
    private final List<String> ids = new ArrayList<>();
    private final Map<String, AssignmentMemberSpec> members = new LinkedHashMap<>();

    private StreamsAssignorOracle(String standbys) {
        this.standbys = standbys;
    }

    public static void main(String[] args) throws IOException {
        if (args.length != 1) {
            System.err.println("usage: StreamsAssignorOracle FILE");
            System.exit(2);
        }
        StringBuilder out = new StringBuilder();
        StreamsAssignorOracle group = null;
        try (BufferedReader in = Files.newBufferedReader(Path.of(args[0]), StandardCharsets.UTF_8)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] words = line.split(" ", -1);
                switch (words[0]) {
                    case "group" -> {
                        group = new StreamsAssignorOracle(words[2]);
                        out.append(line).append('\n');
                    }
                    case "subtopology" -> {
                        group.ids.add(words[1]);
                        group.subtopologies.put(words[1], new Subtopology(Integer.parseInt(words[2]), words[3].equals("1")));
                    }
                    case "member" -> group.members.put(words[1], new AssignmentMemberSpec(Optional.empty(), Optional.empty(),
                        group.tasks(words[3]), group.tasks(words[4]), Map.of(), words[2], Map.of(), Map.of(), Map.of()));
                    case "end" -> group.solve(out);
                    default -> throw new IOException("what is " + line);
                }
            }
        }
        System.out.print(out);
    }

    private Map<String, Set<Integer>> tasks(String text) {
        Map<String, Set<Integer>> tasks = new HashMap<>();
        for (String task : text.equals("-") ? new String[0] : text.split(",")) {
            String[] numbers = task.split(":");
            tasks.computeIfAbsent(ids.get(Integer.parseInt(numbers[0])), id -> new HashSet<>()).add(Integer.valueOf(numbers[1]));
        }
        return tasks;
    }

    private void solve(StringBuilder out) {
        Map<String, MemberAssignment> result = new StickyTaskAssignor().assign(new GroupSpecImpl(members, Map.of("num.standby.replicas",
            standbys)), this).members();
        members.keySet().forEach(member -> {
            MemberAssignment got = result.get(member);
            out.append(member);
            tell(out, got.activeTasks());
            out.append(" standby");
            tell(out, got.standbyTasks());
            out.append(" warmup");
            tell(out, got.warmupTasks());
            out.append('\n');
        });
    }

    private void tell(StringBuilder out, Map<String, Set<Integer>> tasks) {
        for (int i = 0; i < ids.size(); i++) {
            for (int partition : new TreeSet<>(tasks.getOrDefault(ids.get(i), Set.of()))) {
                out.append(' ').append(i).append(':').append(partition);
            }
        }
    }

    @Override
    public List<String> subtopologies() {
        return ids;
    }

    @Override
    public int maxNumInputPartitions(String id) {
        return subtopologies.get(id).tasks();
    }

    @Override
    public boolean isStateful(String id) {
        return subtopologies.get(id).isStateful();
    }
}
