package kdl.codec;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ByteBufferAccessor;

/**
 * Prints what a broker advertises to clients, one "key name min max" per API, by key. It asks by
 * hand, because the admin client keeps only what it understands itself.
 */
final class ApiTable {
    private static final short VERSION = 4;
    private static final short HEADER_VERSION = 2;
    private static final int ANSWER_BYTES_MAX = 1 << 20;

    public static void main(String[] args) {
        if (args.length != 1 || !args[0].contains(":")) {
            System.err.println("usage: ApiTable HOST:PORT");
            System.exit(2);
        }
        try {
            ApiVersionsResponseData answer = ask(args[0]);
            if (answer.errorCode() != 0) {
                throw new IOException("error code " + answer.errorCode());
            }
            answer.apiKeys().stream()
                .sorted((a, b) -> Short.compare(a.apiKey(), b.apiKey()))
                .forEach(api -> System.out.printf("%d %s %d %d%n", api.apiKey(), name(api.apiKey()), api.minVersion(), api.maxVersion()));
        } catch (IOException e) {
            System.err.println("ApiTable: " + args[0] + ": " + e.getMessage());
            System.exit(1);
        }
    }

    private static ApiVersionsResponseData ask(String address) throws IOException {
        // The first of a bootstrap list is enough: the question is about one broker.
        String first = address.split(",")[0];
        int colon = first.lastIndexOf(':');
        try (Socket socket = new Socket(first.substring(0, colon), Integer.parseInt(first.substring(colon + 1)))) {
            socket.setSoTimeout(10_000);
            byte[] header = MessageType.encode(
                new RequestHeaderData().setRequestApiKey(ApiMessageType.API_VERSIONS.apiKey()).setRequestApiVersion(VERSION)
                    .setCorrelationId(1).setClientId("api-table"), HEADER_VERSION);
            byte[] body = MessageType.encode(
                new ApiVersionsRequestData().setClientSoftwareName("api-table").setClientSoftwareVersion("1"), VERSION);
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            out.writeInt(header.length + body.length);
            out.write(header);
            out.write(body);
            out.flush();
            DataInputStream in = new DataInputStream(socket.getInputStream());
            int length = in.readInt();
            if (length < 4 || length > ANSWER_BYTES_MAX) {
                throw new IOException("an answer of " + length + " bytes");
            }
            ByteBuffer answer = ByteBuffer.wrap(in.readNBytes(length));
            // The header of this one answer is version 0 for ever: just the correlation id.
            answer.getInt();
            return new ApiVersionsResponseData(new ByteBufferAccessor(answer), VERSION);
        }
    }

    private static String name(short key) {
        for (ApiMessageType type : ApiMessageType.values()) {
            if (type.apiKey() == key) {
                return type.name;
            }
        }
        return "?";
    }
}
