package kdl.codec;

import java.util.SplittableRandom;

/** Random scalars with a liking for the values that break codecs. */
final class Values {
    /** Around these lengths the length prefix grows by a byte. */
    private static final int[] LENGTHS = {0, 1, 126, 127, 128, 300};
    private static final String[] LETTERS = {"a", "Z", "7", ".", "-", " ", "\u00e9", "\u00df", "\u0416", "\u20ac", "\u4e2d", "\ud83d\ude00", "\u0000", "\u007f"};
    private final SplittableRandom random;

    Values(SplittableRandom random) {
        this.random = random;
    }

    /** A signed integer of that many bits, small or extreme more often than chance would have it. */
    long integer(int bits) {
        long max = Long.MAX_VALUE >> (64 - bits);
        return switch (random.nextInt(8)) {
            case 0 -> 0;
            case 1 -> -1;
            case 2 -> max;
            case 3 -> -max - 1;
            case 4 -> random.nextLong(0, 128);
            default -> random.nextLong() >> (64 - bits);
        };
    }

    double real() {
        return switch (random.nextInt(8)) {
            case 0 -> 0.0;
            case 1 -> -0.0;
            case 2 -> Double.MAX_VALUE;
            case 3 -> Double.NEGATIVE_INFINITY;
            case 4 -> Double.MIN_VALUE;
            default -> random.nextDouble(-1e9, 1e9);
        };
    }

    String text() {
        int letters = length();
        StringBuilder text = new StringBuilder();
        boolean ascii = random.nextBoolean();
        for (int i = 0; i < letters; i++) {
            text.append(ascii ? String.valueOf((char) random.nextInt('!', '~')) : LETTERS[random.nextInt(LETTERS.length)]);
        }
        return text.toString();
    }

    byte[] bytes() {
        byte[] bytes = new byte[length()];
        random.nextBytes(bytes);
        return bytes;
    }

    private int length() {
        return random.nextInt(8) == 0 ? LENGTHS[random.nextInt(LENGTHS.length)] : random.nextInt(12);
    }
}
