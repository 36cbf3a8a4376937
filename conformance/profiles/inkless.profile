# Diskless topics of Aiven Inkless (4.2.0 line). Written from what it was seen to do and from its code; this suite itself has not been run against it.
name   inkless
about  diskless topics of Aiven Inkless 4.2
topic  diskless.enable=true
limit  commit_ms 5000

expect fetch.leader_epoch_future  error_code=0  any broker serves a diskless partition: leader epochs are not fenced
expect epoch.fencing  error_code=0  OffsetForLeaderEpoch repeats the epoch asked for
expect offsets.epoch_fencing  error_code=0  leader epochs are not fenced
expect offsets.leader_epoch_returned  leader_epoch=-1  no epochs in answers about diskless partitions
expect offsets.by_timestamp_exact  batch-base|batch-timestamp  the control plane knows batches, not records
expect offsets.by_timestamp_between  batch-base|batch-timestamp  the control plane knows batches, not records
expect offsets.by_timestamp_skips_none  batch-base|batch-timestamp  the control plane knows batches, not records
expect offsets.by_timestamp_after_delete_records  batch-base|batch-timestamp  the control plane knows batches, not records
expect offsets.max_timestamp  batch-last  the last record of the batch with the highest timestamp
expect fetch.error_is_immediate  too-late  an offset out of range is answered after max_wait
expect idem.unknown_pid_nonzero_seq  error_code=45  an unknown producer must begin at sequence 0
expect idem.seq_wrap  error_code=45  an unknown producer must begin at sequence 0, and sequences do not wrap
expect idem.describe_producers  error_code=6  DescribeProducers knows no diskless partition
expect compact.txn_aborted_removed  AddPartitionsToTxn=17  no transactions on diskless topics
expect compact.*  never  documented: diskless topics are not compacted
