package kdl.wire;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * A plain connection to one broker that says exactly what it is told to, in Kafka's own message
 * classes: what Kafka's clients hide (versions, batches) can be seen through it. One thread.
 */
public final class RawConnection implements Closeable {
    private static final int ANSWER_BYTES_MAX = 1 << 28;
    private static final int TIMEOUT_MS = 30_000;

    private final Socket socket;
    private final DataInputStream in;
    private final DataOutputStream out;
    private int correlationId;

    public RawConnection(String host, int port) throws IOException {
        socket = new Socket(host, port);
        socket.setSoTimeout(TIMEOUT_MS);
        socket.setTcpNoDelay(true);
        in = new DataInputStream(socket.getInputStream());
        out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
    }

    /** Connects to the first address of a bootstrap list. */
    public static RawConnection toFirstOf(String bootstrap) throws IOException {
        String first = bootstrap.split(",")[0];
        int colon = first.lastIndexOf(':');
        return new RawConnection(first.substring(0, colon), Integer.parseInt(first.substring(colon + 1)));
    }

    /** Sends one request and waits for its answer. */
    public ApiMessage ask(ApiMessage request, int apiVersion) throws IOException {
        short version = (short) apiVersion;
        ApiMessageType type = ApiMessageType.fromApiKey(request.apiKey());
        byte[] header = encode(
            new RequestHeaderData().setRequestApiKey(request.apiKey()).setRequestApiVersion(version)
                .setCorrelationId(++correlationId).setClientId("kdl-referee"), type.requestHeaderVersion(version));
        byte[] body = encode(request, version);
        out.writeInt(header.length + body.length);
        out.write(header);
        out.write(body);
        out.flush();

        int length = in.readInt();
        if (length < Integer.BYTES || length > ANSWER_BYTES_MAX) {
            throw new IOException("an answer of " + length + " bytes");
        }
        ByteBufferAccessor answer = new ByteBufferAccessor(ByteBuffer.wrap(in.readNBytes(length)));
        int answered = new ResponseHeaderData(answer, type.responseHeaderVersion(version)).correlationId();
        if (answered != correlationId) {
            throw new IOException("asked " + correlationId + ", answered " + answered);
        }
        ApiMessage response = type.newResponse();
        response.read(answer, version);
        return response;
    }

    private static byte[] encode(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        return buffer.array();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
