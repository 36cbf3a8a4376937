package kdl.codec;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.StringJoiner;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.Utils;

/** What Kafka's reader sees in a record set, as one JSON line per batch, members always in the same order. */
final class BatchJson {
    private BatchJson() {}

    /** Throws whatever Kafka's reader throws on bytes that it does not like. */
    static List<String> lines(int entry, ByteBuffer set) {
        List<String> lines = new ArrayList<>();
        int length = set.remaining();
        int read = 0;
        for (MutableRecordBatch batch : MemoryRecords.readableRecords(set).batches()) {
            batch.ensureValid();
            lines.add(line(entry, batch));
            read += batch.sizeInBytes();
        }
        if (read != length) {
            throw new IllegalStateException(length - read + " of " + length + " bytes are no batch");
        }
        return lines;
    }

    private static String line(int entry, MutableRecordBatch batch) {
        List<String> records = new ArrayList<>();
        for (Record record : batch) {
            record.ensureValid();
            records.add(record(record));
        }
        StringJoiner json = new StringJoiner(",", "{", "}");
        json.add("\"entry\":" + entry);
        json.add("\"magic\":" + batch.magic());
        json.add("\"size\":" + batch.sizeInBytes());
        json.add("\"crc\":" + batch.checksum());
        json.add("\"codec\":\"" + batch.compressionType().name + "\"");
        json.add("\"timestamp_type\":\"" + batch.timestampType().name + "\"");
        json.add("\"base_offset\":" + batch.baseOffset());
        json.add("\"last_offset\":" + batch.lastOffset());
        json.add("\"base_timestamp\":" + (batch instanceof DefaultRecordBatch b ? b.baseTimestamp() : -1));
        json.add("\"max_timestamp\":" + batch.maxTimestamp());
        json.add("\"leader_epoch\":" + batch.partitionLeaderEpoch());
        json.add("\"producer_id\":" + batch.producerId());
        json.add("\"producer_epoch\":" + batch.producerEpoch());
        json.add("\"base_sequence\":" + batch.baseSequence());
        json.add("\"last_sequence\":" + batch.lastSequence());
        json.add("\"transactional\":" + batch.isTransactional());
        json.add("\"control\":" + batch.isControlBatch());
        json.add("\"delete_horizon_ms\":" + batch.deleteHorizonMs().orElse(-1));
        json.add("\"records\":[" + String.join(",", records) + "]");
        return json.toString();
    }

    private static String record(Record record) {
        StringJoiner headers = new StringJoiner(",", "[", "]");
        for (Header header : record.headers()) {
            byte[] value = header.value();
            headers.add("[" + hex(header.key().getBytes(StandardCharsets.UTF_8)) + "," + (value == null ? "null" : hex(value)) + "]");
        }
        return "{\"offset\":" + record.offset() + ",\"timestamp\":" + record.timestamp() + ",\"key\":" + hex(record.key())
            + ",\"value\":" + hex(record.value()) + ",\"headers\":" + headers + "}";
    }

    private static String hex(ByteBuffer bytes) {
        return bytes == null ? "null" : hex(Utils.toArray(bytes));
    }

    private static String hex(byte[] bytes) {
        return '"' + HexFormat.of().formatHex(bytes) + '"';
    }
}
