package kdl.published;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.common.test.api.ClusterTemplate;
import org.apache.kafka.common.test.api.ClusterTest;
import org.apache.kafka.common.test.api.ClusterTests;
import org.apache.kafka.common.utils.Exit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs Apache Kafka's own cluster tests, one fresh broker each, and appends a row for each to a file:
 * class#method[invocation], passed, failed or not-applicable, milliseconds, brokers asked for, reason. Methods that have rows are
 * passed over, so that a run that was ended goes on.
 *
 * <p>Runner JARS RESULTS SHARD SHARDS WHICH [INSIDE]: jars separated by colons; WHICH is a pattern of class#method, or @ and a
 * file of such names; INSIDE is a file of names (or class#*), a tab, and why
 * such a test is not applicable.
 */
public final class Runner {
    private static final String METHOD_DONE = "method-done";
    private static final int REASON_CHARS_MAX = 300;

    private Runner() {}

    public static void main(String[] args) throws Exception {
        Path results = Path.of(args[1]);
        int shard = Integer.parseInt(args[2]), shards = Integer.parseInt(args[3]);
        Predicate<String> wanted = wanted(args[4]);
        Map<String, String> inside = args.length > 5 ? inside(Path.of(args[5])) : Map.of();
        Set<String> done = methodsDone(results);
        Map<String, Method> methods = new TreeMap<>();
        for (String jar : args[0].split(":")) clusterTests(jar, methods);
        PrintStream out = System.out;
        // The tests' own chatter is no output of this program.
        System.setOut(System.err);
        Launcher launcher = LauncherFactory.create();
        int number = 0;
        for (Map.Entry<String, Method> entry : methods.entrySet()) {
            String name = entry.getKey();
            boolean mine = number++ % shards == shard;
            if (!mine || !wanted.test(name) || done.contains(name)) continue;
            String reason = inside.getOrDefault(name, inside.get(name.replaceAll("#.*", "#*")));
            List<String> rows = reason != null
                ? List.of(String.join("\t", name, "not-applicable", "0", "1", "not applicable: " + reason))
                : run(launcher, name, entry.getValue());
            report(rows, name, results, out);
        }
        System.exit(0);
    }

    private static Predicate<String> wanted(String which) throws IOException {
        if (which.startsWith("@")) return Set.copyOf(Files.readAllLines(Path.of(which.substring(1))))::contains;
        return Pattern.compile(which).asPredicate();
    }

    private static Map<String, String> inside(Path file) throws IOException {
        Map<String, String> reasons = new HashMap<>();
        for (String line : Files.readAllLines(file)) {
            String[] fields = line.split("\t");
            if (fields.length == 2) reasons.put(fields[0], fields[1]);
        }
        return reasons;
    }

    private static Set<String> methodsDone(Path results) throws IOException {
        Set<String> done = new HashSet<>();
        if (Files.exists(results))
            for (String line : Files.readAllLines(results)) {
                String[] fields = line.split("\t");
                if (fields.length > 1 && fields[1].equals(METHOD_DONE)) done.add(fields[0]);
            }
        return done;
    }

    private static void clusterTests(String jar, Map<String, Method> into) throws IOException {
        try (JarFile file = new JarFile(jar); Stream<String> names = file.stream().map(entry -> entry.getName())) {
            for (String name : names.filter(n -> n.endsWith(".class") && !n.contains("$")).sorted().toList()) {
                try {
                    Class<?> type = Class.forName(name.replace('/', '.').substring(0, name.length() - ".class".length()), false, Runner.class.getClassLoader());
                    for (Method method : type.getDeclaredMethods())
                        if (isClusterTest(method) || isStreamsTest(method)) into.put(type.getName() + "#" + method.getName(), method);
                } catch (LinkageError | ClassNotFoundException e) {
                    // A class whose jars are not here holds no cluster test that could run.
                }
            }
        }
    }

    private static boolean isClusterTest(Method method) {
        return method.isAnnotationPresent(ClusterTest.class) || method.isAnnotationPresent(ClusterTests.class)
            || method.isAnnotationPresent(ClusterTemplate.class);
    }

    /** Streams' integration tests ask for an EmbeddedKafkaCluster, which is ours. */
    private static boolean isStreamsTest(Method method) {
        return method.getDeclaringClass().getPackageName().equals("org.apache.kafka.streams.integration")
            && (method.isAnnotationPresent(Test.class) || method.isAnnotationPresent(ParameterizedTest.class));
    }

    private static List<String> run(Launcher launcher, String name, Method method) {
        // A tool that gives up would end this program, and all tests behind it.
        Exit.setExitProcedure((code, message) -> {
            throw new AssertionError("the tool exits with " + code + ": " + message);
        });
        List<String> rows = Collections.synchronizedList(new ArrayList<>());
        Map<String, Long> began = new HashMap<>();
        launcher.execute(LauncherDiscoveryRequestBuilder.request()
            .selectors(selectMethod(method.getDeclaringClass(), method))
            .configurationParameter("junit.jupiter.extensions.autodetection.enabled", "true")
            .configurationParameter("junit.jupiter.execution.timeout.testtemplate.method.default", System.getProperty("kdl.timeout", "90 s"))
            .configurationParameter("junit.jupiter.execution.timeout.test.method.default", System.getProperty("kdl.timeout", "90 s"))
            .configurationParameter("junit.jupiter.execution.timeout.thread.mode.default", "SEPARATE_THREAD")
            .build(), new TestExecutionListener() {
                @Override
                public void executionStarted(TestIdentifier test) {
                    began.put(test.getUniqueId(), System.nanoTime());
                }

                @Override
                public void executionSkipped(TestIdentifier test, String reason) {
                    rows.add(row(name + "[" + invocation(test) + "]", "not-applicable", 0, "disabled by Kafka: " + reason));
                }

                @Override
                public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                    long ms = (System.nanoTime() - began.getOrDefault(test.getUniqueId(), System.nanoTime())) / 1_000_000;
                    String reason = result.getThrowable().map(Runner::reasonOf).orElse("");
                    if (test.isTest()) rows.add(row(name + "[" + invocation(test) + "]", status(result), ms, reason));
                    else if (result.getStatus() == TestExecutionResult.Status.FAILED) rows.add(row(name, status(result), ms, reason));
                }
            });
        return rows;
    }

    private static void report(List<String> rows, String name, Path results, PrintStream out) throws IOException {
        List<String> lines = new ArrayList<>(rows);
        lines.add(row(name, METHOD_DONE, 0, ""));
        Files.write(results, lines, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        rows.forEach(out::println);
        out.flush();
    }

    private static String row(String name, String status, long ms, String reason) {
        return String.join("\t", name, status, String.valueOf(ms), String.valueOf(OneBroker.brokersAsked()), reason);
    }

    private static String status(TestExecutionResult result) {
        return switch (result.getStatus()) {
            case SUCCESSFUL -> "passed";
            case ABORTED -> "not-applicable";
            case FAILED -> result.getThrowable().map(Runner::isNotApplicable).orElse(false) ? "not-applicable" : "failed";
        };
    }

    /** A test may wrap what it gets. */
    private static boolean isNotApplicable(Throwable thrown) {
        for (Throwable t = thrown; t != null; t = t.getCause())
            if (t instanceof org.opentest4j.TestAbortedException) return true;
        return false;
    }

    private static String reasonOf(Throwable thrown) {
        Throwable deepest = thrown;
        while (deepest.getCause() != null && !(deepest instanceof org.opentest4j.TestAbortedException)) deepest = deepest.getCause();
        String text = deepest.toString().replaceAll("\\s+", " ");
        if (text.length() > REASON_CHARS_MAX) text = text.substring(0, REASON_CHARS_MAX);
        return text + Stream.of(thrown.getStackTrace()).filter(frame -> frame.getClassName().matches(".*Test(\\$.*)?")).findFirst()
            .map(frame -> " (" + frame.getFileName() + ":" + frame.getLineNumber() + ")").orElse("");
    }

    /** "#3" of [test-template-invocation:#3]. */
    private static String invocation(TestIdentifier test) {
        String id = test.getUniqueId();
        int at = id.lastIndexOf('#');
        return at < 0 ? "" : id.substring(at + 1).replace("]", "");
    }
}
