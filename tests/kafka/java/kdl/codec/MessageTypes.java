package kdl.codec;

import java.io.IOException;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.jar.JarFile;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.coordinator.group.generated.OffsetCommitKey;
import org.apache.kafka.coordinator.share.generated.ShareSnapshotKey;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogKey;
import org.apache.kafka.streams.internals.generated.SubscriptionInfoData;

/**
 * Every message class that Kafka generates from its JSON descriptions and that travels between
 * processes or into internal topics, by the description's name in snake case.
 */
final class MessageTypes {
    private MessageTypes() {}

    static SortedMap<String, MessageType> all() throws IOException {
        SortedMap<String, MessageType> types = new TreeMap<>();
        // One class of each package that we want; the rest is found beside it in its jar.
        for (Class<?> sample : new Class<?>[] {
            ApiMessageType.class, OffsetCommitKey.class, ShareSnapshotKey.class, TransactionLogKey.class, SubscriptionInfoData.class}) {
            addPackageOf(sample, types);
        }
        return types;
    }

    private static void addPackageOf(Class<?> sample, SortedMap<String, MessageType> types) throws IOException {
        String folder = sample.getPackageName().replace('.', '/') + "/";
        Path jar = Path.of(sample.getProtectionDomain().getCodeSource().getLocation().getPath());
        try (JarFile file = new JarFile(jar.toFile())) {
            file.stream()
                .map(entry -> entry.getName())
                .filter(name -> name.startsWith(folder) && name.endsWith(".class") && name.indexOf('$') < 0)
                .map(name -> name.substring(0, name.length() - ".class".length()).replace('/', '.'))
                .forEach(name -> addClass(name, types));
        }
    }

    private static void addClass(String className, SortedMap<String, MessageType> types) {
        try {
            Class<?> type = Class.forName(className);
            if (Message.class.isAssignableFrom(type)) {
                String name = snakeCase(descriptionName(type.getSimpleName()));
                types.put(name, new MessageType(name, type.asSubclass(Message.class)));
            }
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Kafka's generator adds "Data" to the names of requests, responses and headers, and of these only. */
    private static String descriptionName(String className) {
        return className.replaceFirst("(Request|Response|Header)Data$", "$1");
    }

    static String snakeCase(String name) {
        return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2").replaceAll("([A-Z])([A-Z][a-z])", "$1_$2").toLowerCase(java.util.Locale.ROOT);
    }
}
