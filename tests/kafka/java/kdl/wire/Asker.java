package kdl.wire;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * Asks a broker and prints every answer, with ids named by the order in which they are seen, lists
 * sorted, and without throttle times and the broker's port. Two brokers that do the same print the
 * same.
 */
public final class Asker {
    private static final Pattern ID = Pattern.compile(
        "[A-Za-z0-9.]*-?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\"[A-Za-z0-9_-]{22}\"");

    private static final Pattern PORT = Pattern.compile("(?<=\"host\":\"127\\.0\\.0\\.1\",\"port\":)\\d+");

    private static final int SETTLED_ANSWERS = 4;
    private static final int SETTLED_MS = 30;

    private final RawConnection broker;
    private final Map<String, String> names = new LinkedHashMap<>();

    public Asker(String bootstrap) throws IOException {
        broker = RawConnection.toFirstOf(bootstrap);
    }

    /** Gives an id a name of its own. */
    public void name(Object id, String name) {
        names.put("\"" + id + "\"", "\"" + name + "\"");
    }

    /** Asks and prints nothing. */
    public ApiMessage ask(ApiMessage request, int version) throws IOException {
        return broker.ask(request, version);
    }

    public ApiMessage ask(String what, ApiMessage request, int version) throws Exception {
        return tell(what, broker.ask(request, version), version);
    }

    /** Asks for what a change may take a moment to reach: until the answer has been the same for a while. */
    public ApiMessage askSettled(String what, ApiMessage request, int version) throws Exception {
        ApiMessage answer = broker.ask(request, version);
        for (int same = 0; same < SETTLED_ANSWERS; same++) {
            Thread.sleep(SETTLED_MS);
            ApiMessage next = broker.ask(request, version);
            if (!next.equals(answer)) {
                same = -1;
            }
            answer = next;
        }
        return tell(what, answer, version);
    }

    /** Prints an answer that somebody else got. */
    public ApiMessage tell(String what, ApiMessage answer, int version) throws Exception {
        System.out.println(what + " v" + version + ": " + named(sorted(json(answer, version)).toString()));
        return answer;
    }

    public static JsonNode json(ApiMessage answer, int version) throws Exception {
        return (JsonNode) Class.forName(answer.getClass().getName() + "JsonConverter")
            .getMethod("write", answer.getClass(), short.class, boolean.class).invoke(null, answer, (short) version, true);
    }

    private JsonNode sorted(JsonNode node) {
        if (node instanceof ObjectNode object) {
            object.remove("throttleTimeMs");
            object.fieldNames().forEachRemaining(field -> object.replace(field, sorted(object.get(field))));
        } else if (node instanceof ArrayNode array) {
            List<JsonNode> items = new ArrayList<>();
            array.forEach(item -> items.add(sorted(item)));
            items.sort(Comparator.comparing(
                item -> ID.matcher(item.toString()).replaceAll(id -> names.getOrDefault(id.group(), ""))));
            array.removeAll();
            array.addAll(items);
        }
        return node;
    }

    private String named(String text) {
        Matcher matcher = ID.matcher(PORT.matcher(text).replaceAll("0"));
        return matcher.replaceAll(id -> names.computeIfAbsent(id.group(), any -> "id-" + names.size()));
    }
}
