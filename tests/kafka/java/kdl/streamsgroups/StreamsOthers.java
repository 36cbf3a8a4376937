package kdl.streamsgroups;

import java.util.List;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;

/** Streams groups beside groups of other types: what each API says of the others' groups, and names that change their type. */
final class StreamsOthers {
    private final StreamsBroker broker;

    StreamsOthers(StreamsBroker broker) {
        this.broker = broker;
    }

    void others() throws Exception {
        String g = "others";
        broker.beats("joins", StreamsRequests.join(g, "m1", StreamsRequests.plain("t1")));
        broker.ask("a classic member", StreamsRequests.joinClassic(g, "consumer"), 9);
        broker.ask("a consumer", StreamsRequests.joinConsumer(g, "c1", "t1"), 1);
        broker.ask("a share consumer", StreamsRequests.joinShare(g, "s1", "t1"), 1);
        for (int version = 0; version <= 6; version++) {
            broker.ask("classic describe", StreamsRequests.describeClassic(g), version);
        }
        for (int version = 0; version <= 1; version++) {
            broker.ask("consumer describe", StreamsRequests.describeConsumer(g), version);
        }
        lists();
        for (int version = 0; version <= 2; version++) {
            broker.ask("delete with a member", StreamsRequests.delete(g), version);
        }
        broker.beats("leaves", StreamsRequests.beat(g, "m1", -1));
        broker.ask("a classic member of the empty group", StreamsRequests.joinClassic(g, "consumer"), 9);
        broker.ask("a consumer of the empty group", StreamsRequests.joinConsumer(g, "c1", "t1"), 1);
        broker.ask("describe", StreamsRequests.describe(g), 0);
        broker.ask("the consumer leaves", StreamsRequests.joinConsumer(g, "c1", "t1").setMemberEpoch(-1), 1);
        broker.ask("list the empty", StreamsRequests.list(List.of("streams"), "empty"), 5);
        broker.ask("delete", StreamsRequests.delete(g, "nowhere"), 2);
        broker.ask("describe", StreamsRequests.describe(g), 0);
        broker.beats("joins anew", StreamsRequests.join(g, "m1", StreamsRequests.plain("t2")));
        broker.beats("leaves", StreamsRequests.beat(g, "m1", -1));
        ofOtherTypes();
    }

    private void lists() throws Exception {
        for (int version = 0; version <= 3; version++) {
            broker.ask("list", StreamsRequests.list(List.of()), version);
        }
        broker.ask("list by state", StreamsRequests.list(List.of(), "Stable", "NOTREADY"), 4);
        broker.ask("list by type", StreamsRequests.list(List.of("Streams")), 5);
        broker.ask("list by both", StreamsRequests.list(List.of("streams", "consumer"), "assigning", "reconciling", "stable"), 5);
        broker.ask("list by unknown ones", StreamsRequests.list(List.of("nonsense"), "nonsense"), 5);
    }

    private void ofOtherTypes() throws Exception {
        broker.ask("a classic group", broker.commit("classic", "", -1, "t1", 0), 9);
        broker.beats("a heartbeat to it", StreamsRequests.owns(StreamsRequests.beat("classic", "m1", 1)));
        broker.ask("streams describe of it", StreamsRequests.describe("classic"), 0);
        broker.beats("an empty classic group becomes a streams group", StreamsRequests.join("classic", "m1", StreamsRequests.plain("t1")));
        broker.ask("describe", StreamsRequests.describe("classic"), 0);
        broker.ask("its offsets", broker.fetch("classic", null, -1, null), 9);
        broker.beats("leaves", StreamsRequests.beat("classic", "m1", -1));
        JoinGroupResponseData joined = (JoinGroupResponseData) broker.broker.ask(StreamsRequests.joinClassic("classic-used", "consumer"), 3);
        broker.beats("a classic group with a member", StreamsRequests.join("classic-used", "m1", StreamsRequests.plain("t1")));
        broker.beats("is left", StreamsRequests.beat("classic-used", "m1", -1));
        LeaveGroupRequestData leave = new LeaveGroupRequestData().setGroupId("classic-used");
        leave.members().add(new LeaveGroupRequestData.MemberIdentity().setMemberId(joined.memberId()));
        broker.broker.ask(leave, 5);
        ConsumerGroupHeartbeatResponseData consumer = (ConsumerGroupHeartbeatResponseData) broker.ask("a consumer group",
            StreamsRequests.joinConsumer("consumer", "c1", "t1"), 1);
        broker.beats("joins a consumer group", StreamsRequests.join("consumer", "m1", StreamsRequests.plain("t1")));
        broker.beats("a heartbeat to it", StreamsRequests.owns(StreamsRequests.beat("consumer", "m1", consumer.memberEpoch())));
        broker.beats("leaves it", StreamsRequests.beat("consumer", "m1", -1));
        broker.ask("streams describe of it", StreamsRequests.describe("consumer"), 0);
        broker.ask("its member leaves", StreamsRequests.joinConsumer("consumer", "c1", "t1").setMemberEpoch(-1), 1);
        broker.beats("joins an empty consumer group", StreamsRequests.join("consumer", "m1", StreamsRequests.plain("t1")));
        broker.ask("a share group", StreamsRequests.joinShare("share", "s1", "t1"), 1);
        broker.beats("joins a share group", StreamsRequests.join("share", "m1", StreamsRequests.plain("t1")));
        broker.ask("its member leaves", StreamsRequests.joinShare("share", "s1", "t1").setMemberEpoch(-1), 1);
        broker.ask("the end", StreamsRequests.list(List.of()), 5);
    }
}
