package kdl.compaction;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** Promotion HOST:PORT TOPIC: ends the mirroring of a topic of refbroker (its private API MirrorState). */
public final class Promotion {
    private static final int MIRROR_STATE = 10001;
    private static final int PROMOTED = 2;
    private static final int TIMEOUT_MS = 30_000;

    private Promotion() {}

    public static void main(String[] args) throws IOException {
        int colon = args[0].lastIndexOf(':');
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream request = new DataOutputStream(bytes);
        byte[] name = args[1].getBytes(StandardCharsets.UTF_8);

        request.writeShort(MIRROR_STATE);
        request.writeShort(0);
        request.writeInt(1);
        request.writeShort(-1);
        request.writeByte(0);
        request.writeByte(2);
        request.writeByte(name.length + 1);
        request.write(name);
        request.writeByte(PROMOTED);
        request.writeBoolean(false);
        request.writeInt(-1);
        request.writeByte(0);
        request.writeByte(0);
        try (Socket socket = new Socket(args[0].substring(0, colon), Integer.parseInt(args[0].substring(colon + 1)))) {
            socket.setSoTimeout(TIMEOUT_MS);
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            out.writeInt(bytes.size());
            out.write(bytes.toByteArray());
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] answer = in.readNBytes(in.readInt());
            /* Correlation id, tags, throttle time, the array's and the name's lengths, the name, a topic id, then the code. */
            int at = 4 + 1 + 4 + 1 + 1 + name.length + 16;
            int code = answer[at] << 8 | answer[at + 1] & 0xff;
            if (code != 0) {
                throw new IOException("MirrorState answers " + code);
            }
        }
    }
}
