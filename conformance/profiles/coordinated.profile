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
expect   txn.add_unknown_partition               known=17          no transactions on diskless topics
expect   txn.produce_not_added                   error_code=6      no transactions on diskless topics
expect   txn.init_while_ongoing                  AddPartitionsToTxn=17 no transactions on diskless topics
expect   txn.plain_write_during_txn              AddPartitionsToTxn=17 no transactions on diskless topics
expect   txn.commit_visible                      AddPartitionsToTxn=17 no transactions on diskless topics
expect   txn.abort_invisible                     AddPartitionsToTxn=17 no transactions on diskless topics
expect   txn.open_hides_later_plain              AddPartitionsToTxn=17 no transactions on diskless topics
expect   txn.interleaved_commit_abort            AddPartitionsToTxn=17 no transactions on diskless topics
expect   txn.marker_contents                     AddPartitionsToTxn=17 no transactions on diskless topics
expect   txn.end_codes                           AddPartitionsToTxn=17 no transactions on diskless topics
expect   txn.fencing_on_commit                   AddPartitionsToTxn=17 no transactions on diskless topics
expect   txn.fencing_on_send                     AddPartitionsToTxn=17 no transactions on diskless topics
expect   txn.timeout_aborts                      AddPartitionsToTxn=17 no transactions on diskless topics
expect   txn.coordinator_failover_open           AddPartitionsToTxn=17 no transactions on diskless topics
expect   txn.describe                            AddPartitionsToTxn=17 no transactions on diskless topics
expect   fetch.read_committed_lso            AddPartitionsToTxn=17 no transactions on diskless topics
expect   fetch.aborted_list                  AddPartitionsToTxn=17 no transactions on diskless topics
expect   offsets.latest_read_committed       AddPartitionsToTxn=17 no transactions on diskless topics
expect   tv2.implicit_add                        Produce=6         no transactions on diskless topics
expect   tv2.end_bumps_epoch                     Produce=6         no transactions on diskless topics
expect   tv2.old_epoch_after_end                 Produce=6         no transactions on diskless topics
expect   tv2.end_retry                           Produce=6         no transactions on diskless topics
expect   tv2.v1_client_still_works               AddPartitionsToTxn=17 no transactions on diskless topics
expect   connect.read_to_end                     AddPartitionsToTxn=17 no transactions on diskless topics
expect   txn.etl_exactly_once                    AddPartitionsToTxn=17 no transactions on diskless topics
expect   streams.restore_to_end                  never             not compacted
expect   streams.restore_read_committed          AddPartitionsToTxn=17 no transactions on diskless topics
expect   streams.eos_v2_loop                     Produce=6         no transactions on diskless topics
expect   streams.broker_bounce                   Produce=6         no transactions on diskless topics
expect   share.isolation_read_committed          AddPartitionsToTxn=17 no transactions on diskless topics
expect   share.control_records_skipped           AddPartitionsToTxn=17 no transactions on diskless topics
expect   share.auto_offset_reset_*               error_code=6      no leaders: share groups get nothing of diskless topics
expect   share.fetch_acquires                    error_code=6      no leaders: share groups get nothing of diskless topics
expect   share.no_double_acquire                 error_code=6      no leaders: share groups get nothing of diskless topics
expect   share.two_groups_independent            error_code=6      no leaders: share groups get nothing of diskless topics
expect   share.max_records_batch_size            error_code=6      no leaders: share groups get nothing of diskless topics
expect   share.record_limit                      error_code=6      no leaders: share groups get nothing of diskless topics
expect   share.delete_records_moves_spso         error_code=6      no leaders: share groups get nothing of diskless topics
expect   share.ack_*                             error_code=6      no leaders: share groups get nothing of diskless topics
expect   share.lock_timeout                      error_code=6      no leaders: share groups get nothing of diskless topics
expect   share.delivery_limit                    error_code=6      no leaders: share groups get nothing of diskless topics
expect   share.renew                             error_code=6      no leaders: share groups get nothing of diskless topics
expect   share.session_*                         error_code=6      no leaders: share groups get nothing of diskless topics
expect   share.offsets_*                         error_code=6      no leaders: share groups get nothing of diskless topics
expect   share.state_survives_restart            error_code=6      no leaders: share groups get nothing of diskless topics
