# Diskless topics of the leaderless design, as refbroker has them with diskless.enable=true. What
# differs is what Inkless 4.2 was seen to do.
name     coordinated
about    leaderless diskless topics (diskless.enable=true), as Inkless
topic    diskless.enable=true
expect   fetch.leader_epoch_future               error_code=0      no leaders: any leader epoch is taken
expect   epoch.fencing                           error_code=0      no leaders: any leader epoch is taken
expect   fetch.error_is_immediate                too-late          an offset out of range is answered after max_wait
expect   offsets.leader_epoch_returned           leader_epoch=-1   batches carry no leader epoch
expect   offsets.by_timestamp_exact              batch-timestamp   times are known by batch
expect   offsets.by_timestamp_between            batch-timestamp   times are known by batch
expect   offsets.by_timestamp_skips_none         batch-base        times are known by batch
expect   offsets.by_timestamp_after_delete_records batch-base      times are known by batch
expect   offsets.max_timestamp                   batch-last        the last offset of the batch with the largest time
expect   idem.describe_producers                 error_code=6      the coordinator keeps producers, no broker does
expect   compact.txn_aborted_removed             AddPartitionsToTxn=17  no transactions
expect   compact.*                               never             not compacted, as Inkless's diskless topics
