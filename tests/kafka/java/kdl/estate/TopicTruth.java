package kdl.estate;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.NewTopic;

/** What is true of one topic, known because we made it so. */
final class TopicTruth {
    final String name;
    /** As asked for at creation, by us or by the application that makes the topic. */
    private final Map<String, String> configs = new TreeMap<>();
    private final int partitions;
    private final Map<String, Trait> traits = new LinkedHashMap<>();
    private final Map<String, Object> facts = new TreeMap<>();
    private boolean applicationMakesIt;
    private boolean changesNeeded;
    private boolean undecided;
    private String verdictWhy;

    record Trait(boolean present, String why) {}

    TopicTruth(String name, int partitions) {
        this.name = name;
        this.partitions = partitions;
        traits.put("transactions", new Trait(false, "nothing transactional was ever written"));
        traits.put("compaction", new Trait(false, "cleanup.policy=delete"));
        traits.put("streams_state", new Trait(false, "no Streams application owns it"));
        traits.put("idempotence", new Trait(false, "no producer with enable.idempotence=true wrote to it"));
        traits.put("groups", new Trait(false, "no group has an offset or a member here"));
    }

    TopicTruth config(String key, String value) {
        configs.put(key, value);
        return this;
    }

    TopicTruth compacted(String policy, String why) {
        config("cleanup.policy", policy);
        return yes("compaction", why);
    }

    TopicTruth yes(String trait, String why) {
        if (traits.put(trait, new Trait(true, why)) == null) {
            throw new IllegalArgumentException("no such trait: " + trait);
        }
        return this;
    }

    TopicTruth transactional(String why) {
        return yes("transactions", why).yes("idempotence", "transactional producers are idempotent");
    }

    TopicTruth idempotent() {
        return yes("idempotence", "written with enable.idempotence=true");
    }

    /** Something a sampler can see: codecs, headers, counts of null keys and tombstones, ... */
    TopicTruth fact(String key, Object value) {
        facts.put(key, value);
        return this;
    }

    /** A coordinated topic can take it over after a change that costs no semantics. */
    TopicTruth changesNeeded(String why) {
        changesNeeded = true;
        verdictWhy = why;
        return this;
    }

    /** The design does not say what coordinated topics make of this. */
    TopicTruth undecided(String why) {
        undecided = true;
        verdictWhy = why;
        return this;
    }

    TopicTruth madeByApplication() {
        applicationMakesIt = true;
        return this;
    }

    boolean isMadeByApplication() {
        return applicationMakesIt;
    }

    NewTopic creation() {
        return new NewTopic(name, Optional.of(partitions), Optional.empty()).configs(configs);
    }

    private boolean has(String trait) {
        return traits.get(trait).present();
    }

    /** READY, READY_WITH_CHANGES, BLOCKED, or null where nothing follows. */
    String coordinatedVerdict() {
        if (undecided) {
            return null;
        }
        if (changesNeeded) {
            return "READY_WITH_CHANGES";
        }
        return has("transactions") || has("compaction") || has("streams_state") ? "BLOCKED" : "READY";
    }

    private String coordinatedWhy() {
        if (verdictWhy != null) {
            return verdictWhy;
        }
        for (String trait : new String[] {"transactions", "compaction", "streams_state"}) {
            if (has(trait)) {
                return trait + ": " + traits.get(trait).why();
            }
        }
        return "plain append";
    }

    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", name);
        json.put("partitions", partitions);
        json.put("configs", configs);
        traits.forEach((trait, t) -> json.put(trait, verdict("value", t.present() ? "yes" : "no", t.why())));
        json.put("coordinated", verdict("verdict", coordinatedVerdict(), coordinatedWhy()));
        json.put("wal", verdict("verdict", "READY", "a wal topic keeps all of Kafka's semantics"));
        json.put("facts", facts);
        return json;
    }

    private static Map<String, Object> verdict(String name, Object value, String why) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put(name, value);
        json.put("why", why);
        return json;
    }
}
