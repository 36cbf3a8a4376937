package kdl.codec;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The file that this side and the C side exchange. Per message, big endian: u16 length of the name,
 * name, i16 version, u32 length of the body, body.
 */
final class MessageFile {
    private MessageFile() {}

    record Entry(String name, short version, byte[] body) {}

    static final class Writer implements Closeable {
        private final DataOutputStream out;

        Writer(Path path) throws IOException {
            out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(path)));
        }

        void write(Entry entry) throws IOException {
            byte[] name = entry.name().getBytes(StandardCharsets.UTF_8);
            out.writeShort(name.length);
            out.write(name);
            out.writeShort(entry.version());
            out.writeInt(entry.body().length);
            out.write(entry.body());
        }

        @Override
        public void close() throws IOException {
            out.close();
        }
    }

    static final class Reader implements Closeable {
        private final DataInputStream in;

        Reader(Path path) throws IOException {
            in = new DataInputStream(new BufferedInputStream(Files.newInputStream(path)));
        }

        /** The next entry, or null at the end of the file; a file that ends inside an entry throws. */
        Entry next() throws IOException {
            int high = in.read();
            if (high < 0) {
                return null;
            }
            int nameLength = high << 8 | in.readUnsignedByte();
            String name = new String(exactly(nameLength), StandardCharsets.UTF_8);
            short version = in.readShort();
            return new Entry(name, version, exactly(in.readInt()));
        }

        private byte[] exactly(int length) throws IOException {
            if (length < 0) {
                throw new IOException("length " + Integer.toUnsignedString(length) + " is too big");
            }
            byte[] bytes = in.readNBytes(length);
            if (bytes.length < length) {
                throw new EOFException("the file ends inside an entry");
            }
            return bytes;
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
