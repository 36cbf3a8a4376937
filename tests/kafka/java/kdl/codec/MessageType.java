package kdl.codec;

import java.nio.ByteBuffer;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.Schema;

/** One of Kafka's generated classes: its name, its versions, its bytes. */
final class MessageType {
    final String name;
    final Class<? extends Message> javaClass;

    MessageType(String name, Class<? extends Message> javaClass) {
        this.name = name;
        this.javaClass = javaClass;
    }

    short lowestVersion() {
        return (short) constant("LOWEST_SUPPORTED_VERSION");
    }

    short highestVersion() {
        return (short) constant("HIGHEST_SUPPORTED_VERSION");
    }

    Schema schema(short version) {
        return ((Schema[]) constant("SCHEMAS"))[version];
    }

    private Object constant(String field) {
        try {
            return javaClass.getField(field).get(null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    Message create() {
        try {
            return javaClass.getConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    static byte[] encode(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        if (buffer.hasRemaining()) {
            throw new IllegalStateException("Kafka wrote less than the size it computed");
        }
        return buffer.array();
    }

    /** Throws whatever Kafka's reader throws on bytes that it does not like. */
    Message decode(ByteBuffer body, short version) {
        Message message = create();
        message.read(new ByteBufferAccessor(body), version);
        return message;
    }
}
