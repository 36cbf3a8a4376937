/* Record batches built by Apache Kafka 4.3.1 (its MemoryRecordsBuilder), and what its reader sees
 * in them. */
#ifndef TESTS_UNIT_LIB_WIRE_BATCH_VECTORS_H
#define TESTS_UNIT_LIB_WIRE_BATCH_VECTORS_H

#include "lib/base/xalloc.h"
#include "lib/wire/batch_view.h"

struct batch_vector {
    const char *name;
    const char *hex;
    const char *records;     /* per line: offset, timestamp, key, value, headers */
    struct batch_view batch; /* in v0 and v1, base_offset is that of the first record */
    int64_t last_offset;
    int64_t delete_horizon_ms;
    enum compress_codec codec;
    int32_t last_sequence;
    bool log_append_time;
    bool transactional;
    bool control;
};

static const struct batch_vector batch_vectors[] = {
    {.name = "a plain batch after compaction",
        .hex =
            "00000b65e7697b280000004b0003572d0297e8c9f30000000000890000018bcfe414420000018bcfe59a"
            "abffffffffffffffffffffffffffff000000021c0000081014a9b778d3c051bc00001400d2990c8e0201"
            "02db00",
        .records = "12532302052140 1699999913026 14a9b778d3c051bc \n"
                   "12532302052271 1700000012971 null db\n",
        .batch = {.magic = 2,
            .base_offset = 12532302052136,
            .base_timestamp = 1699999913026,
            .max_timestamp = INT64_C(1700000012971),
            .crc = 2548615667u,
            .leader_epoch = 218925,
            .producer_id = INT64_C(-1),
            .producer_epoch = -1,
            .base_sequence = -1},
        .last_offset = INT64_C(12532302052273),
        .last_sequence = -1,
        .delete_horizon_ms = -1,
        .codec = COMPRESS_NONE,
        .log_append_time = false,
        .transactional = false,
        .control = false},
    {.name = "a transactional batch with headers",
        .hex =
            "00000000093a91360000006f0fae69540231102ad400100000000100000000000000000000018bcfe4f3"
            "0900000000000b11d80004000665c800000002200000000e0e36d6171592c506e96d8600580092cca7fe"
            "f9620210d9cb975a85c84fc11695983314d91dcec818060a0410694b48427c2a373604e6ea0000",
        .records = "154833206 0 0e36d6171592c5 e96d86\n"
                   "154833207 1699999970057 d9cb975a85c84fc1 95983314d91dcec818060a "
                   "694b48427c2a3736=e6ea =\n",
        .batch = {.magic = 2,
            .base_offset = 154833206,
            .base_timestamp = 0,
            .max_timestamp = INT64_C(1699999970057),
            .crc = 823143124u,
            .leader_epoch = 263088468,
            .producer_id = INT64_C(725464),
            .producer_epoch = 4,
            .base_sequence = 419272},
        .last_offset = INT64_C(154833207),
        .last_sequence = 419273,
        .delete_horizon_ms = -1,
        .codec = COMPRESS_NONE,
        .log_append_time = false,
        .transactional = true,
        .control = false},
    {.name = "a delete horizon",
        .hex =
            "0000001dc4baa8d80000006d0000000102fe2d8dc6004000000002000001f33c1f16e10000018bcfe55c"
            "e2ffffffffffffffffffffffffffff000000032800e3f0d0c3ed19000aea2e4a871e08c2d3de98003400"
            "c1dbf8c1e77c020100021a005ad09637375af09f9880617f001600fde7cdc3ed1904010100",
        .records = "127854618840 1699999972015 ea2e4a871e c2d3de98\n"
                   "127854618841 0 null  005ad09637375af09f9880617f=\n"
                   "127854618842 1699999997154 null null\n",
        .batch = {.magic = 2,
            .base_offset = 127854618840,
            .base_timestamp = 2144197351137,
            .max_timestamp = INT64_C(1699999997154),
            .crc = 4264398278u,
            .leader_epoch = 1,
            .producer_id = INT64_C(-1),
            .producer_epoch = -1,
            .base_sequence = -1},
        .last_offset = INT64_C(127854618842),
        .last_sequence = -1,
        .delete_horizon_ms = 2144197351137,
        .codec = COMPRESS_NONE,
        .log_append_time = false,
        .transactional = false,
        .control = false},
    {.name = "an abort marker",
        .hex =
            "00062f0d387d422a000000420028faa9023f1575cc0030000000000003a97dde8b7f690003a97dde8b7f"
            "6900000000000dfeed003bffffffff000000012000000008000000000c0000000000ee00",
        .records = "1740583689077290 1030782999822185 00000000 0000000000ee\n",
        .batch = {.magic = 2,
            .base_offset = 1740583689077290,
            .base_timestamp = 1030782999822185,
            .max_timestamp = INT64_C(1030782999822185),
            .crc = 1058371020u,
            .leader_epoch = 2685609,
            .producer_id = INT64_C(917229),
            .producer_epoch = 59,
            .base_sequence = -1},
        .last_offset = INT64_C(1740583689077290),
        .last_sequence = -1,
        .delete_horizon_ms = -1,
        .codec = COMPRESS_NONE,
        .log_append_time = false,
        .transactional = true,
        .control = true},
    {.name = "an emptied batch",
        .hex =
            "00000000000000df00000031ffffffff02da98e401001000000000ffffffffffffffff00000000000000"
            "00000000000000f49f7fff0000005a00000000",
        .records = "",
        .batch = {.magic = 2,
            .base_offset = 223,
            .base_timestamp = -1,
            .max_timestamp = INT64_C(0),
            .crc = 3667452929u,
            .leader_epoch = -1,
            .producer_id = INT64_C(62623),
            .producer_epoch = 32767,
            .base_sequence = 90},
        .last_offset = INT64_C(223),
        .last_sequence = 90,
        .delete_horizon_ms = -1,
        .codec = COMPRESS_NONE,
        .log_append_time = false,
        .transactional = true,
        .control = false},
    {.name = "gzip",
        .hex =
            "000000000070587c00000066000001e0028b64377a0001000000010002c086d481734d0002c086d48173"
            "4d00000000000db1020022000d27ae000000021f8b08000000000000ff1361606060f994c2b2c79e4183"
            "e1fdeac7271fecbbcfc4c477e7c8fe93eccf1b191900dd9b81f420000000",
        .records = "7362684 774635276825421 f264 bc3f\n"
                   "7362685 1699999975509 dcc4bfc907e781 null\n",
        .batch = {.magic = 2,
            .base_offset = 7362684,
            .base_timestamp = 774635276825421,
            .max_timestamp = INT64_C(774635276825421),
            .crc = 2338600826u,
            .leader_epoch = 480,
            .producer_id = INT64_C(897282),
            .producer_epoch = 34,
            .base_sequence = 862126},
        .last_offset = INT64_C(7362685),
        .last_sequence = 862127,
        .delete_horizon_ms = -1,
        .codec = COMPRESS_GZIP,
        .log_append_time = false,
        .transactional = false,
        .control = false},
    {.name = "snappy",
        .hex =
            "000775919a7d985000000061ffffffff02a21032e80002000000010000018bcfe689f90000018bcfe689"
            "f9ffffffffffffffffffffffffffff0000000282534e415050590000000001000000010000001c1a641a"
            "0000000ebdf5cbe641ec5301001600f9fa140206aeabe20100",
        .records = "2099593059604560 1700000074233 bdf5cbe641ec53 null\n"
                   "2099593059604561 1699999902524 aeabe2 null\n",
        .batch = {.magic = 2,
            .base_offset = 2099593059604560,
            .base_timestamp = 1700000074233,
            .max_timestamp = INT64_C(1700000074233),
            .crc = 2718970600u,
            .leader_epoch = -1,
            .producer_id = INT64_C(-1),
            .producer_epoch = -1,
            .base_sequence = -1},
        .last_offset = INT64_C(2099593059604561),
        .last_sequence = -1,
        .delete_horizon_ms = -1,
        .codec = COMPRESS_SNAPPY,
        .log_append_time = false,
        .transactional = false,
        .control = false},
    {.name = "lz4, LogAppendTime",
        .hex =
            "006db9007a20ef520000006d0c9fea36022efcf504000b000000010000018bcfe558b10000018c0190ca"
            "e1ffffffffffffffffffffffffffff0000000204224d186040822d0000801e0000000402f50e90428a30"
            "05ae7d003800d6b203021443d4fe538baebbee1e8414ecf1ad7f10e39f46485d0000000000",
        .records = "30884184161578834 1700833315553 02f5 90428a3005ae7d\n"
                   "30884184161578835 1700833315553 43d4fe538baebbee1e84 ecf1ad7f10e39f46485d\n",
        .batch = {.magic = 2,
            .base_offset = 30884184161578834,
            .base_timestamp = 1699999996081,
            .max_timestamp = INT64_C(1700833315553),
            .crc = 788329732u,
            .leader_epoch = 211806774,
            .producer_id = INT64_C(-1),
            .producer_epoch = -1,
            .base_sequence = -1},
        .last_offset = INT64_C(30884184161578835),
        .last_sequence = -1,
        .delete_horizon_ms = -1,
        .codec = COMPRESS_LZ4,
        .log_append_time = true,
        .transactional = false,
        .control = false},
    {.name = "zstd, the sequence wraps",
        .hex =
            "000000000000002e0000006801ab063702a47a1299000c000000010000018bcfe6dd320000018bd5eee8"
            "bc0000000000053fbd00607fffffff0000000228b52ffd00585801002c000000141855d3251b39b59ed9"
            "570c7a4b4ec91cba002600dd9d1502162ec891a1d665cca6e4b8150000010000",
        .records = "46 1700101286076 1855d3251b39b59ed957 7a4b4ec91cba\n"
                   "47 1700101286076 2ec891a1d665cca6e4b815 \n",
        .batch = {.magic = 2,
            .base_offset = 46,
            .base_timestamp = 1700000095538,
            .max_timestamp = INT64_C(1700101286076),
            .crc = 2759463577u,
            .leader_epoch = 27985463,
            .producer_id = INT64_C(343997),
            .producer_epoch = 96,
            .base_sequence = 2147483647},
        .last_offset = INT64_C(47),
        .last_sequence = 0,
        .delete_horizon_ms = -1,
        .codec = COMPRESS_ZSTD,
        .log_append_time = true,
        .transactional = false,
        .control = false},
    {.name = "v1, gzip",
        .hex =
            "000000000000000100000057d925ce2101010000018bcfe516e4ffffffff000000411f8b080000000000"
            "00ff63608003b1b04f91fe8c0cc8e03f104099200985b59f9fde003118bbcf3f157b0295e54ae2787289"
            "236f56bf401100356d5d9c4e000000",
        .records = "0 0  null\n"
                   "1 1699999979236 null 6208e4d2086e9a8f1072\n",
        .batch = {.magic = 1,
            .base_offset = 0,
            .base_timestamp = -1,
            .max_timestamp = INT64_C(1699999979236),
            .crc = 3643133473u,
            .leader_epoch = -1,
            .producer_id = INT64_C(-1),
            .producer_epoch = -1,
            .base_sequence = -1},
        .last_offset = INT64_C(1),
        .last_sequence = -1,
        .delete_horizon_ms = -1,
        .codec = COMPRESS_GZIP,
        .log_append_time = false,
        .transactional = false,
        .control = false},
    {.name = "v1, lz4",
        .hex =
            "00000001e9978ca90000005eeace728801030000018bcfe60532ffffffff0000004804224d1860408239"
            "00000016000100f00016fc737bd601000000018bcfe4183f190040ffffffff0800001500830000001bf8"
            "094164220033e605321e00600551340cf43d00000000",
        .records = "8213990568 1699999914047  null\n"
                   "8213990569 1700000040242 null 51340cf43d\n",
        .batch = {.magic = 1,
            .base_offset = 8213990568,
            .base_timestamp = -1,
            .max_timestamp = INT64_C(1700000040242),
            .crc = 3939398280u,
            .leader_epoch = -1,
            .producer_id = INT64_C(-1),
            .producer_epoch = -1,
            .base_sequence = -1},
        .last_offset = INT64_C(8213990569),
        .last_sequence = -1,
        .delete_horizon_ms = -1,
        .codec = COMPRESS_LZ4,
        .log_append_time = false,
        .transactional = false,
        .control = false},
    {.name = "v1, lz4, LogAppendTime",
        .hex =
            "000001ab8b6e8fc10000007331c21083010b0000018becaa4cd2ffffffff0000005d04224d186040824e"
            "00000016000100f31523d98fe9fb01080000018becaa4cd20000000359f7420000000a58ccb859bda059"
            "49c3f62e00990100000025559248ba2f00f0050a1644b6d47743a73966b500000005ac12833d78000000"
            "00",
        .records = "1836290314176 1700482665682 59f742 58ccb859bda05949c3f6\n"
                   "1836290314177 1700482665682 1644b6d47743a73966b5 ac12833d78\n",
        .batch = {.magic = 1,
            .base_offset = 1836290314176,
            .base_timestamp = -1,
            .max_timestamp = INT64_C(1700482665682),
            .crc = 834801795u,
            .leader_epoch = -1,
            .producer_id = INT64_C(-1),
            .producer_epoch = -1,
            .base_sequence = -1},
        .last_offset = INT64_C(1836290314177),
        .last_sequence = -1,
        .delete_horizon_ms = -1,
        .codec = COMPRESS_LZ4,
        .log_append_time = true,
        .transactional = false,
        .control = false},
    {.name = "v0, gzip",
        .hex =
            "000000000000000100000048a78ce8580001ffffffff0000003a1f8b08000000000000ff636080030991"
            "a97b7ac02c8ebffb5d32ef6ec8e900b299f2b3a0f28c40cc676be83115c2fd0f040013dbe96f3e000000",
        .records = "0 -1 fdbf4469ddb06c88 6f6a\n"
                   "1 -1  null\n",
        .batch = {.magic = 0,
            .base_offset = 0,
            .base_timestamp = -1,
            .max_timestamp = INT64_C(-1),
            .crc = 2811029592u,
            .leader_epoch = -1,
            .producer_id = INT64_C(-1),
            .producer_epoch = -1,
            .base_sequence = -1},
        .last_offset = INT64_C(1),
        .last_sequence = -1,
        .delete_horizon_ms = -1,
        .codec = COMPRESS_GZIP,
        .log_append_time = false,
        .transactional = false,
        .control = false},
    {.name = "v0, lz4 with a wrong header checksum",
        .hex =
            "0000000004b46c8700000053378696d40003ffffffff0000004504224d1860401a36000000f001000000"
            "0004b46c86000000100e392dfc1000800002b06effffffff0c004004b46c871c00405fb6983110008000"
            "02b513ffffffff00000000",
        .records = "78933126 -1 b06e null\n"
                   "78933127 -1 b513 null\n",
        .batch = {.magic = 0,
            .base_offset = 78933126,
            .base_timestamp = -1,
            .max_timestamp = INT64_C(-1),
            .crc = 931567316u,
            .leader_epoch = -1,
            .producer_id = INT64_C(-1),
            .producer_epoch = -1,
            .base_sequence = -1},
        .last_offset = INT64_C(78933127),
        .last_sequence = -1,
        .delete_horizon_ms = -1,
        .codec = COMPRESS_LZ4,
        .log_append_time = false,
        .transactional = false,
        .control = false},
    {.name = "v0, snappy",
        .hex =
            "00000000003cfd7f00000062f84e0c2e0002ffffffff0000005482534e41505059000000000100000001"
            "000000404100000101283cfd7e0000001b02fe9a06010f4c00059dd1dbe2a30000000837cd0cf0fd4065"
            "57000101503cfd7f0000000ea7ec68030000ffffffffffffffff",
        .records = "3997054 -1 9dd1dbe2a3 37cd0cf0fd406557\n"
                   "3997055 -1 null null\n",
        .batch = {.magic = 0,
            .base_offset = 3997054,
            .base_timestamp = -1,
            .max_timestamp = INT64_C(-1),
            .crc = 4165864494u,
            .leader_epoch = -1,
            .producer_id = INT64_C(-1),
            .producer_epoch = -1,
            .base_sequence = -1},
        .last_offset = INT64_C(3997055),
        .last_sequence = -1,
        .delete_horizon_ms = -1,
        .codec = COMPRESS_SNAPPY,
        .log_append_time = false,
        .transactional = false,
        .control = false},
};

/* The bytes of a hexadecimal text; the caller frees them. */
static uint8_t *
batch_vector_bytes(const char *hex, size_t *size)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *bytes = xmalloc(strlen(hex) / 2 + 1);

    for (*size = 0; *hex != '\0'; hex += 2, (*size)++)
        bytes[*size] =
            (uint8_t)((strchr(digits, hex[0]) - digits) * 16 + (strchr(digits, hex[1]) - digits));
    return bytes;
}

#endif
