package kdl.codec;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * Fills a message with random values, guided by the schema that Kafka keeps for each version: a
 * field that the schema lacks keeps its default, since Kafka refuses to write anything else there.
 */
final class RandomMessage {
    /** How rich a message is: the two extremes are made once each, since chance seldom meets them. */
    enum Shape { BARE, FULL, MIXED }

    private final Values values;
    private final SplittableRandom random;
    private final Shape shape;

    RandomMessage(SplittableRandom random, Shape shape) {
        this.random = random;
        this.shape = shape;
        this.values = new Values(random);
    }

    void fill(Message message, Schema schema) {
        Map<String, Field> byName = javaFields(message.getClass());
        for (BoundField bound : schema.fields()) {
            if (bound.def.type instanceof TaggedFields tagged) {
                tagged.fields().values().stream().filter(f -> chance(2)).forEach(f -> set(message, byName, f));
            } else {
                set(message, byName, bound.def);
            }
        }
    }

    private void set(Message message, Map<String, Field> byName, org.apache.kafka.common.protocol.types.Field def) {
        Field field = byName.get(plain(def.name));
        if (field == null) {
            throw new IllegalStateException(message.getClass() + " has no field for " + def.name);
        }
        try {
            field.set(message, value(def.type, field.getType(), field.getGenericType()));
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    private Object value(org.apache.kafka.common.protocol.types.Type type, Class<?> javaClass, Type javaType) {
        if (type.isNullable() && (shape == Shape.BARE || shape == Shape.MIXED && random.nextInt(4) == 0)) {
            return null;
        }
        if (type.isArray()) {
            return array(type.arrayElementType().orElseThrow(), javaClass, javaType);
        }
        if (type instanceof Schema schema) {
            return struct(schema, javaClass);
        }
        return scalar(type, javaClass);
    }

    private Object struct(Schema schema, Class<?> javaClass) {
        Message message = (Message) instance(javaClass);
        fill(message, schema);
        return message;
    }

    private Object array(org.apache.kafka.common.protocol.types.Type element, Class<?> javaClass, Type javaType) {
        Class<?> elementClass = elementClass(javaClass, javaType);
        int count = shape == Shape.BARE ? 0 : shape == Shape.FULL ? 2 : random.nextInt(4);
        @SuppressWarnings("unchecked")
        Collection<Object> items = javaClass.isInterface() ? new ArrayList<>() : (Collection<Object>) instance(javaClass);
        for (int i = 0; i < count; i++) {
            items.add(value(element, elementClass, elementClass));
        }
        return items;
    }

    /** List&lt;X&gt; names X itself; the hashed collections name it in their base class. */
    private static Class<?> elementClass(Class<?> javaClass, Type javaType) {
        Type list = javaClass.isInterface() ? javaType : javaClass.getGenericSuperclass();
        return (Class<?>) ((ParameterizedType) list).getActualTypeArguments()[0];
    }

    private Object scalar(org.apache.kafka.common.protocol.types.Type type, Class<?> javaClass) {
        switch (type.toString()) {
            case "BOOLEAN": return random.nextBoolean();
            case "INT8": return (byte) values.integer(8);
            case "INT16": return (short) values.integer(16);
            case "UINT16": return (int) values.integer(16) & 0xffff;
            case "INT32": return (int) values.integer(32);
            case "UINT32": return values.integer(32) & 0xffffffffL;
            case "INT64": return values.integer(64);
            case "FLOAT64": return values.real();
            case "UUID": return new Uuid(values.integer(64), values.integer(64));
            default: break;
        }
        if (javaClass == String.class) {
            return values.text();
        }
        if (javaClass == byte[].class) {
            return values.bytes();
        }
        if (javaClass == ByteBuffer.class) {
            return ByteBuffer.wrap(values.bytes());
        }
        if (type.toString().endsWith("RECORDS")) {
            // Kafka's codec carries records unread, so any bytes do.
            return MemoryRecords.readableRecords(ByteBuffer.wrap(values.bytes()));
        }
        throw new IllegalStateException("no random value for " + type + " as " + javaClass);
    }

    /** True for tagged fields to set: all of a full message, none of a bare one, else one in n. */
    private boolean chance(int n) {
        return shape == Shape.FULL || shape == Shape.MIXED && random.nextInt(n) == 0;
    }

    private static Object instance(Class<?> javaClass) {
        try {
            return javaClass.getConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Map<String, Field> javaFields(Class<?> javaClass) {
        Map<String, Field> fields = new HashMap<>();
        for (Field field : javaClass.getDeclaredFields()) {
            if (!Modifier.isStatic(field.getModifiers())) {
                field.setAccessible(true);
                fields.put(plain(field.getName()), field);
            }
        }
        return fields;
    }

    /** Schemas say topic_id where the class says topicId; acronyms make the exact rule intricate. */
    private static String plain(String name) {
        return name.replace("_", "").toLowerCase(Locale.ROOT);
    }
}
