package kdl.estate;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/** Record contents that depend on nothing but the topic's name and the record's number. */
final class Content {
    private static final String[] WORDS = {
        "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "islet", "jetty", "knoll", "ledge", "marsh", "notch", "oasis", "prairie"};
    private final long seed;

    Content(String topic) {
        seed = topic.hashCode() * 0x9E3779B97F4A7C15L;
    }

    private SplittableRandom random(long number) {
        return new SplittableRandom(seed + number);
    }

    /** A JSON object of 60 to 600 bytes. */
    byte[] value(long number) {
        SplittableRandom random = random(number);
        StringBuilder json = new StringBuilder("{\"id\":").append(number).append(",\"amount\":").append(random.nextInt(1_000_000)).append(",\"text\":\"");
        for (int words = 2 + random.nextInt(80); words > 0; words--) {
            json.append(WORDS[random.nextInt(WORDS.length)]).append(' ');
        }
        return json.append("\"}").toString().getBytes(StandardCharsets.UTF_8);
    }

    /** One of count keys. */
    byte[] keyOf(long number, int count) {
        return key(random(~number).nextInt(count));
    }

    byte[] key(long number) {
        return String.format("k%08d", number).getBytes(StandardCharsets.UTF_8);
    }

    static byte[] word(long number) {
        return WORDS[(int) (number * 7 % WORDS.length)].getBytes(StandardCharsets.UTF_8);
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
