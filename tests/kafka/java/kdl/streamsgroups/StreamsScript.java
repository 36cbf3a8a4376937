package kdl.streamsgroups;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.StreamsGroupDescribeResponseData;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.CopartitionGroup;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.TaskOffset;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.Topology;
import org.apache.kafka.common.message.StreamsGroupHeartbeatResponseData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;

/**
 * The same requests about streams groups to any broker; prints every answer, with ids named by the
 * order in which they are seen, and lists sorted. Two brokers that do the same print the same.
 */
public final class StreamsScript extends StreamsBroker {
    private static final List<String> PARTS = List.of("errors", "topologies", "topics", "members", "fencing", "standbys", "endpoints",
        "traits", "shutdown", "configs", "times", "offsets", "transactions", "others");
    private static final List<String> GROUPS = List.of("errors", "missing", "missing-many", "unequal", "fixed", "counts", "made", "fails", "follows",
        "grows", "members", "fencing", "standbys", "endpoints", "traits", "stale", "shutdown", "configs", "times", "delay", "interval", "offsets",
        "transactions", "others", "probe", "classic", "classic-used", "consumer", "share", "nowhere");

    private StreamsScript(String bootstrap) throws IOException {
        super(bootstrap);
    }

    public static void main(String[] args) throws Exception {
        if (args.length < 1) {
            System.err.println("usage: StreamsScript BOOTSTRAP [PART]...");
            System.exit(2);
        }
        StreamsScript script = new StreamsScript(args[0]);
        script.awaitCoordinator(GROUPS);
        for (String topic : List.of("t1:3", "t2:4", "t3:3", "t4:2")) {
            script.topic(topic.substring(0, 2), Integer.parseInt(topic.substring(3)));
        }
        for (String part : args.length > 1 ? Arrays.asList(args).subList(1, args.length) : PARTS) {
            System.out.println("== " + part);
            script.play(part);
        }
        System.exit(0);
    }

    private void play(String part) throws Exception {
        switch (part) {
            case "errors" -> errors();
            case "topologies" -> topologies();
            case "topics" -> topics();
            case "members" -> members();
            case "fencing" -> fencing();
            case "standbys" -> standbys();
            case "endpoints" -> endpoints();
            case "traits" -> traits();
            case "shutdown" -> shutdown();
            case "configs" -> configs();
            case "times" -> times();
            case "offsets" -> new StreamsOffsets(this).offsets();
            case "transactions" -> new StreamsOffsets(this).transactions();
            case "others" -> new StreamsOthers(this).others();
            case "after" -> after();
            case "feature" -> feature();
            default -> throw new IllegalArgumentException(part);
        }
    }

    private StreamsMember member(String group, String id) {
        return new StreamsMember(this, group, id);
    }

    private StreamsMember joined(String group, String id, Topology topology) throws Exception {
        return member(group, id).joins(id + " joins", join(group, id, topology));
    }

    // --- what is refused ---------------------------------------------------------------------------

    private void errors() throws Exception {
        String g = "errors";
        beats("no group", join("", "m1", plain("t1")));
        beats("a blank group", join(" ", "m1", plain("t1")));
        beats("no member", join(g, "", plain("t1")));
        beats("a blank member", join(g, " ", plain("t1")));
        beats("no rack", join(g, "m1", plain("t1")).setRackId(""));
        beats("a blank rack", join(g, "m1", plain("t1")).setRackId(" "));
        beats("an instance", join(g, "m1", plain("t1")).setInstanceId("i1"));
        beats("an empty instance", join(g, "m1", plain("t1")).setInstanceId(""));
        beats("an instance leaves", beat(g, "m1", -2).setInstanceId("i1"));
        beats("leaves for a while", beat(g, "m1", -2));
        beats("a lower epoch", beat(g, "m1", -3));
        beats("offsets of tasks", join(g, "m1", plain("t1")).setTaskOffsets(List.of(new TaskOffset().setSubtopologyId("0").setOffset(3))));
        beats("no offsets of tasks", join(g, "m1", plain("t1")).setTaskOffsets(List.of()));
        beats("ends of tasks", join(g, "m1", plain("t1")).setTaskEndOffsets(List.of()));
        beats("warmup tasks", beat(g, "m1", 1).setActiveTasks(List.of()).setStandbyTasks(List.of()).setWarmupTasks(tasks("0:0")));
        beats("joins with active tasks", owns(join(g, "m1", plain("t1")), "0:0"));
        beats("joins with a standby task", join(g, "m1", plain("t1")).setStandbyTasks(tasks("0:0")));
        beats("joins with a warmup task", join(g, "m1", plain("t1")).setWarmupTasks(tasks("0:0")));
        beats("joins without a timeout", join(g, "m1", plain("t1")).setRebalanceTimeoutMs(-1));
        beats("joins without a topology", join(g, "m1", null));
        beats("joins and tells one kind of tasks", join(g, "m1", plain("t1")).setStandbyTasks(null).setWarmupTasks(null));
        beats("joins and tells no tasks of one kind", join(g, "m1", plain("t1")).setActiveTasks(null));
        beats("tells one kind of tasks", beat(g, "m1", 1).setActiveTasks(tasks("0:0")));
        beats("tells two kinds of tasks", beat(g, "m1", 1).setActiveTasks(tasks("0:0")).setStandbyTasks(tasks("0:1")));
        beats("a topology later", owns(beat(g, "m1", 1)).setTopology(plain("t1")));
        beats("a topology at the end", beat(g, "m1", -1).setTopology(plain("t1")));
        beats("a group that is not there", owns(beat(g, "m1", 1)));
        beats("a group that is not there is left", beat(g, "m1", -1));
        beats("everything at once", join("", "", null).setInstanceId("").setRackId("").setRebalanceTimeoutMs(-1));
        ask("describe", describe(g, "", "nowhere"), 0);
    }

    private void topologies() throws Exception {
        String g = "errors";
        beats("a pattern", join(g, "m1", topology(1, reads("0", "t1").setSourceTopicRegex(List.of("t.*")))));
        beats("Kafka's own topic is read", join(g, "m1", plain("__consumer_offsets")));
        beats("Kafka's own topic is written", join(g, "m1", topology(1, writes(reads("0", "t1"), "__transaction_state"))));
        beats("Kafka's own topic keeps a state", join(g, "m1", topology(1, keeps(reads("0", "t1"), internal("__share_group_state", 0)))));
        beats("a name that is none", join(g, "m1", plain("a b")));
        beats("an empty name", join(g, "m1", plain("")));
        beats("names that are none", join(g, "m1", topology(1, keeps(reads("0", "t1", "."), internal("..", 0)))));
        beats("a changelog with partitions", join(g, "m1", topology(1, keeps(reads("0", "t1"), internal("errors-c", 3)))));
        beats("a changelog with negative partitions", join(g, "m1", topology(1, keeps(reads("0", "t1"), internal("errors-c", -1)))));
        beats("a negative epoch", join(g, "m1", topology(-1, reads("0", "t1"))));
        beats("a subtopology twice", join(g, "m1", topology(1, reads("0", "t1"), reads("0", "t2"))));
        beats("a subtopology that reads nothing", join(g, "m1", topology(1, reads("0"))));
        beats("a subtopology that reads nothing and keeps a state", join(g, "m1", topology(1, keeps(reads("0"), internal("errors-c", 0)))));
        beats("a repartition topic that nobody writes", join(g, "m1", topology(1, through(reads("0"), internal("errors-r", 0)))));
        beats("repartition topics in a circle", join(g, "m1", topology(1,
            writes(through(reads("0"), internal("errors-r", 0)), "errors-s"), writes(through(reads("1"), internal("errors-s", 0)), "errors-r"))));
        beats("a copartition group beyond the sources", join(g, "m1", topology(1, together(reads("0", "t1"), 2, 0))));
        beats("a copartition group beyond the repartition topics", join(g, "m1", topology(1, together(reads("0", "t1"), 1, 1))));
        beats("a copartition group of a negative place", join(g, "m1", topology(1, reads("0", "t1").setCopartitionGroups(List.of(
            new CopartitionGroup().setSourceTopics(List.of((short) -1)))))));
        beats("client tags twice", tagged(join(g, "m1", plain("t1")), "a", "1", "a", "2"));
        ask("describe", describe(g), 0);
        beats("a topology without subtopologies", join("nowhere", "m1", topology(1)));
        ask("describe", describe("nowhere"), 0);
        beats("leaves", beat("nowhere", "m1", -1));
        ask("delete", delete("nowhere"), 2);
    }

    // --- topics ------------------------------------------------------------------------------------

    private void topics() throws Exception {
        StreamsMember m = joined("missing", "m1", topology(1, reads("0", "t1", "late"), reads("1", "later")));
        m.beats("topics are missing");
        ask("describe", describe("missing"), 0);
        ask("list", list(List.of("streams"), "notready"), 5);
        topic("late", 2);
        m.take(until("one is missing", m.beat(), answer -> answer.status().size() == 1 && !answer.status().get(0).statusDetail().contains("late,")));
        topic("later", 1);
        m.awaitsTopics("none is missing").beats("so, too");
        ask("describe", describe("missing"), 0);
        joined("missing-many", "m1", topology(1, reads("0", "no3", "no1"), reads("1", "no2", "no5", "no4")));
        joined("unequal", "m1", topology(1, together(reads("0", "t1", "t2", "t3"), 3, 0))).beats("still");
        ask("describe", describe("unequal"), 0);
        joined("fixed", "m1", topology(1, writes(reads("0", "t1"), "fixed-r"), together(through(reads("1", "t3"), internal("fixed-r", 5)), 1, 1)));
        ask("describe", describe("fixed"), 0);
        topic("counts-c", 5);
        awaitTopic("counts", "counts-c");
        joined("counts", "m1", topology(1, keeps(reads("0", "t1"), internal("counts-c", 0))));
        ask("describe", describe("counts"), 0);
        for (String group : List.of("missing", "missing-many", "unequal", "fixed", "counts")) {
            beats("leaves", beat(group, "m1", -1));
        }
        ask("describe", describe("missing", "unequal"), 0);
        made();
        grows();
    }

    private void made() throws Exception {
        joined("made", "m1", counting("made", "t2")).awaitsTopics("topics are made", "made-by-key", "made-count");
        show("made-by-key");
        show("made-count");
        ask("describe", describe("made"), 0);
        beats("leaves", beat("made", "m1", -1));
        Topology topology = topology(1, writes(reads("0", "t1", "t2"), "follows-a", "follows-b", "follows-d"),
            keeps(together(through(reads("1", "t4"), internal("follows-a", 0)), 1, 1), internal("follows-c1", 0), internal("follows-c2", 0)),
            keeps(through(reads("2"), internal("follows-b", 7), internal("follows-d", 0)), internal("follows-c3", 0, "cleanup.policy", "compact,delete",
                "retention.ms", "86400000")));
        String[] made = {"follows-a", "follows-b", "follows-d", "follows-c1", "follows-c2", "follows-c3"};
        StreamsMember m = joined("follows", "m1", topology).awaitsTopics("topics follow others", made);
        for (String name : made) {
            show(name);
        }
        m.beats("and then");
        ask("describe", describe("follows"), 0);
        beats("leaves", beat("follows", "m1", -1));
        m = joined("fails", "m1", topology(1, keeps(reads("0", "t1"), internal("fails-many", 0).setReplicationFactor((short) 3),
            internal("fails-policy", 0, "cleanup.policy", "nonsense"), internal("fails-not", 0))));
        m.take(until("topics that cannot be made", m.beat(), answer -> answer.status().size() == 1
            && answer.status().get(0).statusDetail().contains("fails-many (") && answer.status().get(0).statusDetail().contains("fails-policy (")
            && !answer.status().get(0).statusDetail().contains("fails-not")));
        show("fails-not");
        ask("describe", describe("fails"), 0);
        beats("leaves", beat("fails", "m1", -1));
    }

    /** Topics that get more partitions, go and come back while they are read. */
    private void grows() throws Exception {
        topic("growing", 1);
        awaitTopic("grows", "growing");
        StreamsMember m = joined("grows", "m1", plain("growing"));
        m.beats("one task");
        grow("growing", 3);
        m.take(until("three tasks", m.beat(), answer -> answer.activeTasks() != null));
        m.beats("it has them");
        ask("describe", describe("grows"), 0);
        drop("growing");
        m.take(until("the topic is gone", m.beat(), answer -> !answer.status().isEmpty()));
        m.beats("it has given them up");
        ask("describe", describe("grows"), 0);
        beats("a task that is gone", owns(beat("grows", "m1", m.epoch()), "0:0"));
        topic("growing", 2);
        m.awaitsTopics("it is there again").beats("and then");
        ask("describe", describe("grows"), 0);
        beats("leaves", beat("grows", "m1", -1));
    }

    // --- members -----------------------------------------------------------------------------------

    private void members() throws Exception {
        String g = "members";
        Topology topology = counting(g, "t1");
        StreamsMember m1 = joined(g, "m1", topology).awaitsTopics("m1 alone", g + "-by-key", g + "-count");
        m1.beats("m1 has all").beats("m1 again");
        beats("m1 tells nothing", beat(g, "m1", m1.epoch()));
        ask("describe", describe(g), 0);
        StreamsMember m2 = joined(g, "m2", topology).beats("m2 waits");
        ask("describe", describe(g), 0);
        StreamsGroupHeartbeatRequestData before = m1.beat();
        m1.take(beats("m1 is to give tasks up", before.duplicate()));
        beats("m1 has not given them up", owns(beat(g, "m1", m1.epoch()), "0:0,1,2", "1:0,1,2"));
        beats("m1 tells nothing", beat(g, "m1", m1.epoch()));
        m2.beats("m2 still waits");
        ask("describe", describe(g), 0);
        m1.beats("m1 has given them up");
        m2.beats("m2 gets them").beats("m2 has them");
        ask("describe", describe(g), 0);
        beats("m1 missed an answer", before.duplicate());
        StreamsMember m3 = joined(g, "m3", topology);
        StreamsMember.settle("three", m1, m2, m3);
        ask("describe", describe(g), 0);
        beats("a fourth one", join(g, "m4", topology));
        beats("m1 joins where all places are taken", join(g, "m1", topology));
        ask("list", list(List.of("streams"), "stable"), 5);
        beats("m2 leaves", beat(g, "m2", -1));
        beats("m2 leaves again", beat(g, "m2", -1));
        StreamsMember.settle("two", m3, m1);
        m1.joins("m1 joins again", join(g, "m1", topology));
        StreamsMember.settle("two again", m1, m3);
        ask("describe", describe(g), 0);
        beats("m1 leaves", beat(g, "m1", -1).setActiveTasks(tasks("9:9")).setStandbyTasks(List.of()).setWarmupTasks(List.of()));
        StreamsMember.settle("one", m3);
        ask("delete one with a member", delete(g), 2);
        beats("m3 leaves", beat(g, "m3", -1));
        ask("describe", describe(g), 0);
        beats("nobody is left", owns(beat(g, "m3", m3.epoch())));
        m1.joins("m1 comes to the empty group", join(g, "m1", topology)).beats("m1 has all");
        ask("m1 commits", commit(g, "m1", m1.epoch(), "t1", 0, 1), 9);
        ask("describe", describe(g), 0);
    }

    private void fencing() throws Exception {
        String g = "fencing";
        StreamsMember m1 = joined(g, "m1", plain("t2")).beats("m1 has all");
        StreamsMember m2 = joined(g, "m2", plain("t2"));
        StreamsMember.settle("two", m1, m2);
        beats("an epoch of later", owns(beat(g, "m1", m1.epoch() + 1)));
        beats("the epoch before, with the tasks of now", m1.beat().setMemberEpoch(m1.epoch() - 1));
        beats("the epoch before, with fewer tasks", owns(beat(g, "m1", m1.epoch() - 1)));
        beats("the epoch before, with more tasks", owns(beat(g, "m1", m1.epoch() - 1), "0:0,1,2,3"));
        beats("the epoch before, without a word", beat(g, "m1", m1.epoch() - 1));
        beats("an epoch of long ago", owns(beat(g, "m1", 0 + 1)));
        beats("somebody unknown", owns(beat(g, "m9", 1)));
        beats("somebody unknown leaves", beat(g, "m9", -1));
        beats("a task that is not there", owns(beat(g, "m1", m1.epoch()), "0:7"));
        beats("a negative task", owns(beat(g, "m1", m1.epoch()), "0:-1"));
        beats("a subtopology that is not there", owns(beat(g, "m1", m1.epoch()), "zero:0"));
        beats("a standby task that is not there", owns(beat(g, "m1", m1.epoch())).setStandbyTasks(tasks("1:0")));
        beats("a task twice", owns(beat(g, "m1", m1.epoch()), "0:0,0"));
        beats("a subtopology twice", owns(beat(g, "m1", m1.epoch()), "0:0", "0:1"));
        beats("a subtopology without tasks", owns(beat(g, "m1", m1.epoch()), "0:"));
        beats("a task of somebody else", owns(beat(g, "m1", m1.epoch()), "0:0,1,2,3"));
        StreamsMember.settle("all is well", m1, m2);
        beats("an epoch of later leaves", beat(g, "m2", -1).setProcessId("p"));
        StreamsMember.settle("one", m1);
        ask("describe", describe(g), 0);
        beats("leaves", beat(g, "m1", -1));
    }

    private void standbys() throws Exception {
        String g = "standbys";
        ask("too many standbys", configures(g, "streams.num.standby.replicas", "9"), 1);
        ask("one standby", configures(g, "streams.num.standby.replicas", "1"), 1);
        Topology topology = counting(g, "t1");
        StreamsMember m1 = joined(g, "m1", topology).awaitsTopics("m1 alone", g + "-by-key", g + "-count");
        StreamsMember m2 = member(g, "m2").joins("m2 joins", join(g, "m2", topology).setRackId("r2"));
        StreamsMember.settle("two processes", m1, m2);
        ask("describe", describe(g), 0);
        StreamsMember m3 = member(g, "m3").joins("m3 joins m1's process", join(g, "m3", topology).setProcessId("process-m1"));
        StreamsMember.settle("three members", m1, m2, m3);
        ask("describe", describe(g), 0);
        beats("m2 keeps a standby that is not its own", owns(beat(g, "m2", m2.epoch())).setStandbyTasks(tasks("0:0")));
        StreamsMember.settle("all is well", m2, m1, m3);
        ask("no standby", configures(g, "streams.num.standby.replicas", "0"), 1);
        m1.take(until("standbys go", m1.beat(), answer -> answer.activeTasks() != null || answer.memberEpoch() != m1.epoch()));
        StreamsMember.settle("without standbys", m1, m2, m3);
        ask("describe", describe(g), 0);
        ask("two standbys", configures(g, "streams.num.standby.replicas", "2"), 1);
        m1.take(until("standbys come", m1.beat(), answer -> answer.activeTasks() != null || answer.memberEpoch() != m1.epoch()));
        StreamsMember.settle("with standbys", m1, m2, m3);
        beats("m1 leaves", beat(g, "m1", -1));
        StreamsMember.settle("one takes over", m2, m3);
        ask("describe", describe(g), 0);
        beats("leaves", beat(g, "m2", -1));
        beats("leaves", beat(g, "m3", -1));
    }

    private void endpoints() throws Exception {
        String g = "endpoints";
        ask("one standby", configures(g, "streams.num.standby.replicas", "1"), 1);
        Topology topology = counting(g, "t3");
        StreamsMember m1 = joined(g, "m1", topology).awaitsTopics("m1 alone", g + "-by-key", g + "-count");
        StreamsMember m2 = member(g, "m2").joins("m2 joins", at(join(g, "m2", topology), "host2", 9092));
        StreamsMember.settle("two", m1, m2);
        m1.take(beats("m1 gets an endpoint", at(m1.beat(), "host1", 65_535)));
        StreamsMember.settle("two endpoints", m1, m2);
        beats("an epoch of long ago", m1.beat().setEndpointInformationEpoch(-1));
        beats("the epoch of now", m1.beat());
        beats("an epoch of later", m1.beat().setEndpointInformationEpoch(99));
        m2.take(beats("m2 moves", at(m2.beat(), "host2", 9093)));
        StreamsMember.settle("moved", m1, m2);
        ask("describe", describe(g), 0);
        beats("m2 leaves", beat(g, "m2", -1));
        StreamsMember.settle("one", m1);
        beats("leaves", beat(g, "m1", -1));
    }

    private void traits() throws Exception {
        String g = "traits";
        StreamsMember m = member(g, "m1").joins("joins", tagged(join(g, "m1", plain("t1")).setRackId("r1"), "zone", "z1", "cluster", "c1"));
        m.beats("has all");
        ask("describe", describe(g), 0);
        m.take(beats("the same again", tagged(m.beat().setRackId("r1").setProcessId("process-m1").setRebalanceTimeoutMs(600_000), "cluster", "c1",
            "zone", "z1")));
        m.take(beats("another rack", m.beat().setRackId("r2")));
        m.take(beats("another tag", tagged(m.beat(), "zone", "z2")));
        m.take(beats("no tags", tagged(m.beat())));
        m.take(beats("an empty tag", tagged(m.beat(), "", "")));
        m.take(beats("another timeout", m.beat().setRebalanceTimeoutMs(50_000)));
        m.take(beats("another process", m.beat().setProcessId("process-m2")));
        m.take(beats("an empty process", m.beat().setProcessId("")));
        beats("tags twice", tagged(m.beat(), "a", "1", "a", "2"));
        m.beats("and then");
        ask("describe", describe(g), 0);
        m.take(beats("joins again with another topology", join(g, "m1", plain("t2"))));
        m.joins("joins again", join(g, "m1", plain("t1"))).beats("has all again");
        ask("describe", describe(g), 0);
        beats("leaves", beat(g, "m1", -1));
        stale();
    }

    private void stale() throws Exception {
        String g = "stale";
        StreamsMember m1 = joined(g, "m1", topology(5, reads("0", "t1"))).beats("has all");
        StreamsMember m2 = joined(g, "m2", topology(3, reads("0", "t2")));
        StreamsMember.settle("one is stale", m1, m2);
        beats("a newer one", join(g, "m3", topology(6, reads("0", "t1"))));
        beats("another one of the same epoch", join(g, "m3", topology(5, reads("0", "t1", "t2"))));
        beats("the same one", join(g, "m3", topology(5, reads("0", "t1"))));
        ask("describe", describe(g), 0);
        beats("leaves", beat(g, "m3", -1));
        beats("leaves", beat(g, "m2", -1));
        m1.take(until("has all again", m1.beat(), answer -> answer.activeTasks() != null));
        beats("leaves", beat(g, "m1", -1));
        beats("a newer one comes to the empty group", join(g, "m1", topology(6, reads("0", "t2"))));
        ask("describe", describe(g), 0);
    }

    private void shutdown() throws Exception {
        String g = "shutdown";
        StreamsMember m1 = joined(g, "m1", plain("t1"));
        m1.take(beats("m1 wants all to stop too early", m1.beat().setShutdownApplication(true)));
        StreamsMember m2 = joined(g, "m2", plain("t1"));
        StreamsMember.settle("two", m1, m2);
        m2.take(beats("m2 wants all to stop", m2.beat().setShutdownApplication(true)));
        m1.beats("m1 is told");
        beats("m1 leaves", beat(g, "m1", -1));
        beats("m2 leaves", beat(g, "m2", -1).setShutdownApplication(true));
        beats("a stranger leaves", beat(g, "m7", -1).setShutdownApplication(true));
        joined(g, "m3", plain("t1")).beats("m3 is told");
        beats("m3 leaves", beat(g, "m3", -1));
        ask("describe", describe(g), 0);
    }

    // --- configs and time --------------------------------------------------------------------------

    private void configs() throws Exception {
        String g = "configs";
        ask("interval", configures(g, "streams.heartbeat.interval.ms", "700"), 1);
        ask("interval too short", configures(g, "streams.heartbeat.interval.ms", "1"), 1);
        ask("interval too long", configures(g, "streams.heartbeat.interval.ms", "15001"), 1);
        ask("interval none", configures(g, "streams.heartbeat.interval.ms", "x"), 1);
        ask("session too short", configures(g, "streams.session.timeout.ms", "10"), 1);
        ask("session too long", configures(g, "streams.session.timeout.ms", "60001"), 1);
        ask("session below the interval", configures(g, "streams.session.timeout.ms", "700"), 1);
        ask("standbys negative", configures(g, "streams.num.standby.replicas", "-1"), 1);
        ask("delay negative", configures(g, "streams.initial.rebalance.delay.ms", "-1"), 1);
        ask("assignment interval too long", configures(g, "streams.assignment.interval.ms", "15001"), 1);
        ask("unknown", configures(g, "streams.unknown", "1"), 1);
        StreamsMember m = joined(g, "m1", plain("t1")).beats("the interval is told");
        ask("interval as before", configures(g, "streams.heartbeat.interval.ms", null), 1);
        m.take(until("the interval of the broker", m.beat(), answer -> answer.heartbeatIntervalMs() != 700));
        beats("leaves", beat(g, "m1", -1));
    }

    private void times() throws Exception {
        String g = "times";
        ask("session", configures(g, "streams.session.timeout.ms", "1000"), 1);
        joined(g, "m1", plain("t1"));
        awaitMembers("m1 was silent", g, 0);
        ask("session", configures(g, "streams.session.timeout.ms", null), 1);
        StreamsMember m1 = member(g, "m1").joins("m1 joins", join(g, "m1", plain("t1")).setRebalanceTimeoutMs(500)).beats("m1 has all");
        StreamsMember m2 = joined(g, "m2", plain("t1"));
        m1.take(beats("m1 is to give tasks up", m1.beat()));
        awaitMembers("m1 did not give them up", g, 1);
        StreamsMember.settle("m2 gets all", m2);
        beats("m1 is out", m1.beat());
        beats("leaves", beat(g, "m2", -1));
        g = "delay";
        ask("delay", configures(g, "streams.initial.rebalance.delay.ms", "600"), 1);
        m1 = joined(g, "m1", plain("t1")).beats("it is delayed");
        m2 = joined(g, "m2", plain("t1"));
        ask("describe", describe(g), 0);
        m1.take(until("the delay is over", m1.beat(), StreamsBroker::isReady));
        StreamsMember.settle("both have their share", m1, m2);
        ask("describe", describe(g), 0);
        beats("leaves", beat(g, "m1", -1));
        beats("leaves", beat(g, "m2", -1));
        g = "interval";
        ask("interval", configures(g, "streams.assignment.interval.ms", "1500"), 1);
        m1 = joined(g, "m1", plain("t1")).beats("m1 has all");
        m2 = joined(g, "m2", plain("t1")).beats("it is too early");
        ask("describe", describe(g), 0);
        m1.take(until("the interval is over", m1.beat(), answer -> answer.activeTasks() != null));
        StreamsMember.settle("both have their share", m1, m2);
        beats("leaves", beat(g, "m1", -1));
        beats("leaves", beat(g, "m2", -1));
    }

    // --- later -------------------------------------------------------------------------------------

    /** After a restart: what was kept is there. */
    private void after() throws Exception {
        StreamsGroupDescribeResponseData found = (StreamsGroupDescribeResponseData) ask("describe", describe("members", "made", "stale", "offsets"), 0);
        ask("list", list(List.of("streams")), 5);
        int epoch = found.groups().stream().filter(group -> group.groupId().equals("members")).findFirst().orElseThrow().members().get(0)
            .memberEpoch();
        beats("a task that is not there", owns(beat("members", "m1", epoch), "0:7"));
        // Kafka describes what follows from this one with its next record only.
        beats("goes on", owns(beat("members", "m1", epoch), "0:0,1,2", "1:0,1,2"));
        beats("an epoch of later", owns(beat("members", "m1", epoch + 1)));
        StreamsMember m2 = joined("members", "m2", counting("members", "t1"));
        StreamsGroupHeartbeatResponseData told = beats("goes on", owns(beat("members", "m1", epoch), "0:0,1,2", "1:0,1,2"));
        beats("gives up", owns(beat("members", "m1", epoch), told.activeTasks().stream().map(run -> run.subtopologyId() + ":"
            + String.join(",", run.partitions().stream().map(String::valueOf).toList())).toArray(String[]::new)));
        m2.beats("gets them");
        ask("describe", describe("members"), 0);
    }

    private UpdateFeaturesRequestData level(int level) {
        UpdateFeaturesRequestData request = new UpdateFeaturesRequestData().setTimeoutMs(10_000);
        request.featureUpdates().add(new UpdateFeaturesRequestData.FeatureUpdateKey().setFeature("streams.version").setMaxVersionLevel((short) level)
            .setUpgradeType((byte) (level == 0 ? 2 : 1)));
        return request;
    }

    private void tellFeature() throws Exception {
        ApiVersionsResponseData known = (ApiVersionsResponseData) broker.ask(new ApiVersionsRequestData().setClientSoftwareName("kdl")
            .setClientSoftwareVersion("1"), 4);
        System.out.println(known.supportedFeatures().find("streams.version") + " " + known.finalizedFeatures().find("streams.version"));
        known.apiKeys().stream().filter(api -> api.apiKey() == 88 || api.apiKey() == 89).forEach(System.out::println);
    }

    private void feature() throws Exception {
        tellFeature();
        ask("without", level(0), 2);
        StreamsGroupHeartbeatRequestData asked = owns(beat("members", "m1", 1));
        broker.tell("a heartbeat", await(() -> (StreamsGroupHeartbeatResponseData) broker.ask(asked, 0), answer -> answer.errorCode() == 35), 0);
        ask("describe", describe("members"), 0);
        ask("list", list(List.of("streams")), 5);
        tellFeature();
        ask("with", level(1), 2);
        broker.tell("a heartbeat", await(() -> (StreamsGroupHeartbeatResponseData) broker.ask(asked, 0), answer -> answer.errorCode() != 35), 0);
        tellFeature();
    }
}
