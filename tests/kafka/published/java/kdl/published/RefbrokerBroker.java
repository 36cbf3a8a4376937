package kdl.published;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.common.test.api.ClusterConfig;
import org.apache.kafka.server.common.Feature;

/** A refbroker process. Broker properties that it knows are passed on, others have no meaning there. */
final class RefbrokerBroker implements Broker {
    private static final String PROGRAM = System.getProperty("kdl.refbroker");
    private static final int ID = 0;
    private static final Set<Process> RUNNING = ConcurrentHashMap.newKeySet();
    private static Set<String> known;

    static {
        // Who ends this program ends its brokers.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> RUNNING.forEach(Process::destroyForcibly)));
    }

    private final Map<String, String> settings = new TreeMap<>();
    private final Path folder;
    private Process process;
    private String address = "localhost:0"; // as in Kafka's test kit

    RefbrokerBroker(ClusterConfig config) {
        // Kafka's test kit starts every broker with the first three, and formats its folder for a release.
        Map<String, String> wanted = new TreeMap<>(Map.of("log.cleaner.dedupe.buffer.size", "2097152", "unstable.api.versions.enable", "true",
            "unstable.feature.versions.enable", "true", "kdl.first.metadata.version", String.valueOf(config.metadataVersion().featureLevel())));
        wanted.putAll(config.serverProperties());
        wanted.putAll(config.perServerOverrideProperties().getOrDefault(ID, Map.of()));
        wanted.put("node.id", String.valueOf(ID));
        // What a lower level of this feature takes away from Kafka, a setting takes away here.
        if (Objects.equals(config.features().get(Feature.GROUP_VERSION), (short) 0)) wanted.put("group.coordinator.rebalance.protocols", "classic");
        for (Feature feature : List.of(Feature.SHARE_VERSION, Feature.STREAMS_VERSION)) {
            Short level = config.features().get(feature);
            if (level != null) wanted.put("kdl.first." + feature.featureName(), String.valueOf(level));
        }
        wanted.forEach((name, value) -> {
            if (knownSettings().contains(name)) settings.put(name, value);
        });
        try {
            folder = Files.createTempDirectory("published");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static synchronized Set<String> knownSettings() {
        if (known == null) {
            known = new HashSet<>();
            try (BufferedReader lines = new ProcessBuilder(PROGRAM, "--set", "help").redirectErrorStream(true).start().inputReader()) {
                lines.lines().forEach(line -> known.add(line.split(" ")[0]));
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
        return known;
    }

    @Override
    public void start() throws Exception {
        List<String> words = new ArrayList<>(List.of(PROGRAM, "--data", folder.resolve("data").toString(), "--listen", address));
        settings.forEach((name, value) -> words.addAll(List.of("--set", name + "=" + value)));
        File log = folder.resolve("log").toFile();
        process = new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(log).start();
        RUNNING.add(process);
        while (true) {
            for (String line : Files.readAllLines(log.toPath())) {
                int at = line.indexOf(" ready: ");
                if (at >= 0) {
                    address = line.substring(at + " ready: ".length()).split(" ")[0];
                    return;
                }
            }
            if (!process.isAlive()) throw new IllegalStateException("refbroker ended: " + Files.readString(log.toPath()));
            Thread.sleep(2);
        }
    }

    @Override
    public void stop() throws Exception {
        if (process == null) return;
        process.destroy();
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IllegalStateException("refbroker did not end within 10 s of SIGTERM");
        }
        RUNNING.remove(process);
    }

    @Override
    public void discard() {
        if (process != null) process.destroyForcibly();
        try (Stream<Path> files = Files.walk(folder)) {
            if (process != null) {
                process.waitFor();
                RUNNING.remove(process); // by hand: onExit() starts a thread, and a test looks for threads that it left
            }
            files.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public boolean isRunning() {
        return process != null && process.isAlive();
    }

    @Override
    public String bootstrap() {
        return address;
    }

    @Override
    public int id() {
        return ID;
    }
}
