package kdl.codec;

import java.io.IOException;
import kdl.wire.RawConnection;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;

/**
 * Prints what a broker advertises to clients, one "key name min max" per API, by key. It asks by
 * hand, because the admin client keeps only what it understands itself.
 */
final class ApiTable {
    private static final int VERSION = 4;

    private ApiTable() {}

    public static void main(String[] args) {
        if (args.length != 1 || !args[0].matches(".+:\\d+")) {
            System.err.println("usage: ApiTable HOST:PORT");
            System.exit(2);
        }
        try (RawConnection broker = RawConnection.toFirstOf(args[0])) {
            ApiVersionsResponseData answer = (ApiVersionsResponseData) broker.ask(
                new ApiVersionsRequestData().setClientSoftwareName("api-table").setClientSoftwareVersion("1"), VERSION);
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

    private static String name(short key) {
        for (ApiMessageType type : ApiMessageType.values()) {
            if (type.apiKey() == key) {
                return type.name;
            }
        }
        return "?";
    }
}
