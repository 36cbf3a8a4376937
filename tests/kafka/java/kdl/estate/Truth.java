package kdl.estate;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The truth table of the whole estate. Filled by one thread. */
final class Truth {
    private static final int FORMAT = 1;

    private final Map<String, TopicTruth> topics = new TreeMap<>();
    private final List<Map<String, Object>> groups = new ArrayList<>();
    private final List<Map<String, Object>> transactions = new ArrayList<>();

    TopicTruth topic(String name, int partitions) {
        TopicTruth topic = new TopicTruth(name, partitions);
        if (topics.put(name, topic) != null) {
            throw new IllegalArgumentException("two topics named " + name);
        }
        return topic;
    }

    Collection<TopicTruth> topics() {
        return topics.values();
    }

    /** state as the group has it while the estate is held; topics that it reads, in order. */
    void group(String id, String type, String state, String what, String... topicNames) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("group", id);
        json.put("type", type);
        json.put("state", state);
        json.put("what", what);
        json.put("topics", List.of(topicNames));
        groups.add(json);
        for (String name : topicNames) {
            topics.get(name).yes("groups", "group " + id + " (" + type + ") reads it");
        }
    }

    /** state as ListTransactions says it while the estate is held. */
    void transaction(String id, String state, String what, String... topicNames) {
        addTransaction("transactional_id", id, state, what, topicNames);
    }

    /** The same for ids of which only the beginning is known before. */
    void transactionPrefix(String prefix, String state, String what, String... topicNames) {
        addTransaction("transactional_id_prefix", prefix, state, what, topicNames);
    }

    private void addTransaction(String idName, String id, String state, String what, String... topicNames) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put(idName, id);
        json.put("state", state);
        json.put("what", what);
        json.put("topics", List.of(topicNames));
        transactions.add(json);
    }

    /** The file appears whole or not at all: others wait for it. */
    void write(Path file, Map<String, Object> head) throws IOException {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("format", FORMAT);
        json.putAll(head);
        json.put("topics", topics.values().stream().map(TopicTruth::toJson).toList());
        json.put("groups", groups);
        json.put("transactions", transactions);
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        Files.write(fresh, new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsBytes(json));
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
