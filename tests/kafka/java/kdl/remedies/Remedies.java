package kdl.remedies;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs commands of Kafka's tools, one per line of the input, in this one JVM, and prints {@code exit CODE COMMAND} for each; what the tool said follows in lines that begin with a blank where the
 * code is not 0. A word in single quotes is one word, as in a shell.
 */
public final class Remedies {
    private static final Map<String, String> CLASSES = Map.ofEntries(
        Map.entry("kafka-acls", "org.apache.kafka.tools.AclCommand"),
        Map.entry("kafka-configs", "kafka.admin.ConfigCommand"),
        Map.entry("kafka-consumer-groups", "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"),
        Map.entry("kafka-features", "org.apache.kafka.tools.FeatureCommand"),
        Map.entry("kafka-get-offsets", "org.apache.kafka.tools.GetOffsetShell"),
        Map.entry("kafka-groups", "org.apache.kafka.tools.GroupsCommand"),
        Map.entry("kafka-reassign-partitions", "org.apache.kafka.tools.reassign.ReassignPartitionsCommand"),
        Map.entry("kafka-share-groups", "org.apache.kafka.tools.consumer.group.ShareGroupCommand"),
        Map.entry("kafka-streams-groups", "org.apache.kafka.tools.streams.StreamsGroupCommand"),
        Map.entry("kafka-topics", "org.apache.kafka.tools.TopicCommand"),
        Map.entry("kafka-transactions", "org.apache.kafka.tools.TransactionsCommand"));

    private static final class Exited extends RuntimeException {
        private static final long serialVersionUID = 1;

        Exited(String message) {
            super(message);
        }
    }

    /** Of the first exit: some tools catch the exception that stands for it, and exit once more. */
    private static Integer code;

    private Remedies() {
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = System.out;
        Exit.Procedure exit = (code, message) -> {
            if (Remedies.code == null) Remedies.code = code;
            throw new Exited(message);
        };
        Exit.setExitProcedure(exit);
        Exit.setHaltProcedure(exit);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            ByteArrayOutputStream said = new ByteArrayOutputStream();
            Remedies.code = null;
            run(words(line), said);
            int code = Remedies.code == null ? 0 : Remedies.code;
            out.println("exit " + code + " " + line);
            if (code != 0) said.toString().lines().limit(3).forEach(text -> out.println(" " + text));
        }
        out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static void run(List<String> words, ByteArrayOutputStream said) throws Exception {
        String type = CLASSES.get(words.get(0));
        PrintStream sink = new PrintStream(said, true), before = System.out, errors = System.err;
        if (type == null) throw new IllegalArgumentException("no class is known of " + words.get(0));
        System.setOut(sink);
        System.setErr(sink);
        try {
            Class.forName(type).getMethod("main", String[].class).invoke(null, (Object) words.subList(1, words.size()).toArray(new String[0]));
        } catch (java.lang.reflect.InvocationTargetException e) {
            if (!(e.getCause() instanceof Exited)) throw e;
            if (e.getCause().getMessage() != null) sink.println(e.getCause().getMessage());
        } finally {
            System.setOut(before);
            System.setErr(errors);
        }
    }

    private static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        for (String word : line.split(" ")) words.add(word.replace("'", ""));
        return words;
    }
}
