package kdl.remedies;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import kdl.tools.ToolRunner;

/**
 * Runs commands of Kafka's tools, one per line of the input, in this one JVM, and prints {@code exit CODE COMMAND} for each; what the tool said follows in lines that begin with a blank where the
 * code is not 0. A word in single quotes is one word, as in a shell.
 */
public final class Remedies {
    private static final Map<String, String> CLASSES = Map.ofEntries(
        Map.entry("kafka-acls", "org.apache.kafka.tools.AclCommand"),
        Map.entry("kafka-broker-api-versions", "org.apache.kafka.tools.BrokerApiVersionsCommand"),
        Map.entry("kafka-client-metrics", "org.apache.kafka.tools.ClientMetricsCommand"),
        Map.entry("kafka-configs", "kafka.admin.ConfigCommand"),
        Map.entry("kafka-consumer-groups", "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"),
        Map.entry("kafka-features", "org.apache.kafka.tools.FeatureCommand"),
        Map.entry("kafka-get-offsets", "org.apache.kafka.tools.GetOffsetShell"),
        Map.entry("kafka-groups", "org.apache.kafka.tools.GroupsCommand"),
        Map.entry("kafka-log-dirs", "org.apache.kafka.tools.LogDirsCommand"),
        Map.entry("kafka-reassign-partitions", "org.apache.kafka.tools.reassign.ReassignPartitionsCommand"),
        Map.entry("kafka-share-groups", "org.apache.kafka.tools.consumer.group.ShareGroupCommand"),
        Map.entry("kafka-streams-groups", "org.apache.kafka.tools.streams.StreamsGroupCommand"),
        Map.entry("kafka-topics", "org.apache.kafka.tools.TopicCommand"),
        Map.entry("kafka-transactions", "org.apache.kafka.tools.TransactionsCommand"));

    private Remedies() {
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = System.out;
        ToolRunner runner = new ToolRunner();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            List<String> words = words(line);
            String type = CLASSES.get(words.get(0));
            if (type == null) throw new IllegalArgumentException("no class is known of " + words.get(0));
            ToolRunner.Said said = runner.run(type, words.subList(1, words.size()));
            out.println("exit " + said.code() + " " + line);
            if (said.code() != 0) said.text().lines().limit(3).forEach(text -> out.println(" " + text));
        }
        out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        for (String word : line.split(" ")) words.add(word.replace("'", ""));
        return words;
    }
}
