package kdl.codec;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.apache.kafka.common.utils.Utils;

/**
 * The referee for record batches: record sets built by Kafka, with what is in them, and Kafka's
 * reading of sets built by our side. A file is a row of u32 length (big endian) and record set.
 */
final class BatchOracle {
    private BatchOracle() {}

    public static void main(String[] args) {
        try {
            if (args.length == 4 && args[0].equals("make")) {
                make(Long.parseLong(args[1]), Integer.parseInt(args[2]), args[3]);
            } else if (args.length == 2 && args[0].equals("check")) {
                System.exit(check(Path.of(args[1])) ? 0 : 1);
            } else {
                System.err.println("usage: BatchOracle make SEED N FILE (writes FILE and FILE.json) | check FILE");
                System.exit(2);
            }
        } catch (IOException e) {
            System.err.println("BatchOracle: " + e);
            System.exit(1);
        }
    }

    private static void make(long seed, int count, String file) throws IOException {
        BatchMaker maker = new BatchMaker(new SplittableRandom(seed));
        try (DataOutputStream out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(Path.of(file))));
             PrintStream json = new PrintStream(new BufferedOutputStream(Files.newOutputStream(Path.of(file + ".json"))), false, StandardCharsets.UTF_8)) {
            for (int i = 0; i < count; i++) {
                ByteBuffer set = maker.make(i).buffer();
                byte[] bytes = Utils.toArray(set);
                out.writeInt(bytes.length);
                out.write(bytes);
                BatchJson.lines(i, ByteBuffer.wrap(bytes)).forEach(line -> json.print(line + "\n"));
            }
        }
    }

    /** Prints the lines of a file; a set that Kafka refuses becomes a line with "error", and the answer false. */
    private static boolean check(Path file) throws IOException {
        boolean good = true;
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)));
             PrintStream json = new PrintStream(new BufferedOutputStream(System.out), false, StandardCharsets.UTF_8)) {
            for (int i = 0; in.available() > 0; i++) {
                int length = in.readInt();
                byte[] bytes = in.readNBytes(Math.max(length, 0));
                if (bytes.length != length) {
                    throw new EOFException("the file ends inside entry " + i);
                }
                try {
                    BatchJson.lines(i, ByteBuffer.wrap(bytes)).forEach(line -> json.print(line + "\n"));
                } catch (RuntimeException e) {
                    good = false;
                    json.printf("{\"entry\":%d,\"error\":\"%s\"}%n", i, e.toString().replaceAll("[\"\\\\\\p{Cntrl}]", "'"));
                }
            }
        }
        return good;
    }
}
