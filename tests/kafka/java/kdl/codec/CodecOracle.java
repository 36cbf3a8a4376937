package kdl.codec;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.kafka.common.protocol.Message;

/**
 * The referee for the C codec: messages written by Kafka's own code, and Kafka's own opinion of
 * messages written by ours. Tags that Kafka does not know are not in the game, and neither is a
 * known tag that carries its default: Kafka leaves it out when it writes.
 */
final class CodecOracle {
    private final Map<String, MessageType> types;

    private CodecOracle() throws IOException {
        types = MessageTypes.all();
    }

    public static void main(String[] args) {
        try {
            if (args.length == 4 && args[0].equals("make")) {
                new CodecOracle().make(Long.parseLong(args[1]), Integer.parseInt(args[2]), Path.of(args[3]));
            } else if (args.length == 2 && args[0].equals("check")) {
                System.exit(new CodecOracle().check(Path.of(args[1])) ? 0 : 1);
            } else if (args.length == 1 && args[0].equals("list")) {
                new CodecOracle().list();
            } else {
                System.err.println("usage: CodecOracle make SEED N OUTFILE | check INFILE | list");
                System.exit(2);
            }
        } catch (IOException e) {
            System.err.println("CodecOracle: " + e);
            System.exit(1);
        }
    }

    /** Writes N messages for every type and version; the first is bare, the second full, the rest random. */
    private void make(long seed, int count, Path out) throws IOException {
        try (MessageFile.Writer writer = new MessageFile.Writer(out)) {
            for (MessageType type : types.values()) {
                for (short version = type.lowestVersion(); version <= type.highestVersion(); version++) {
                    // A stream of its own for each, so that a new type leaves the others' messages as they were.
                    SplittableRandom random = new SplittableRandom(seed * 1_000_003 + type.name.hashCode() * 257L + version);
                    for (int i = 0; i < count; i++) {
                        Message message = type.create();
                        RandomMessage.Shape shape = RandomMessage.Shape.values()[Math.min(i, 2)];
                        new RandomMessage(random, shape).fill(message, type.schema(version));
                        writer.write(new MessageFile.Entry(type.name, version, MessageType.encode(message, version)));
                    }
                }
            }
        }
    }

    private boolean check(Path in) throws IOException {
        long good = 0;
        long bad = 0;
        try (MessageFile.Reader reader = new MessageFile.Reader(in)) {
            for (MessageFile.Entry entry = reader.next(); entry != null; entry = reader.next()) {
                String complaint = complaint(entry);
                if (complaint == null) {
                    good++;
                } else {
                    bad++;
                    System.out.printf("mismatch %s v%d: %s%n  given %s%n", entry.name(), entry.version(), complaint, hex(entry.body()));
                }
            }
        }
        System.out.println("ok " + good + (bad == 0 ? "" : ", mismatches " + bad));
        return bad == 0;
    }

    /** What is wrong with one entry, or null. */
    private String complaint(MessageFile.Entry entry) {
        MessageType type = types.get(entry.name());
        if (type == null) {
            return "Kafka has no such message";
        }
        if (entry.version() < type.lowestVersion() || entry.version() > type.highestVersion()) {
            return "Kafka has versions " + type.lowestVersion() + " to " + type.highestVersion();
        }
        ByteBuffer body = ByteBuffer.wrap(entry.body());
        byte[] again;
        try {
            again = MessageType.encode(type.decode(body, entry.version()), entry.version());
        } catch (RuntimeException e) {
            return "refused at byte " + body.position() + ": " + e;
        }
        if (body.hasRemaining()) {
            return body.remaining() + " of " + entry.body().length + " bytes left over";
        }
        int at = Arrays.mismatch(entry.body(), again);
        return at < 0 ? null : "differs from byte " + at + "\n  kafka " + hex(again);
    }

    private void list() {
        for (MessageType type : types.values()) {
            System.out.println(type.name + " " + type.lowestVersion() + " " + type.highestVersion());
        }
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
