package kdl.admin;

import java.util.ArrayList;
import java.util.List;
import kdl.wire.Asker;
import org.apache.kafka.common.message.CreateAclsRequestData;
import org.apache.kafka.common.message.DeleteAclsRequestData;
import org.apache.kafka.common.message.DescribeAclsRequestData;

/** The same requests about ACLs to any broker that has an authorizer; prints every answer. */
public final class AclScript {
    private static final int ANY = 1;
    private static final int MATCH = 2;
    private static final int LITERAL = 3;
    private static final int PREFIXED = 4;
    private static final int TOPIC = 2;
    private static final int GROUP = 3;
    private static final int CLUSTER = 4;
    private static final int USER = 7;
    private static final int ALL = 2;
    private static final int READ = 3;
    private static final int WRITE = 4;
    private static final int DENY = 2;
    private static final int ALLOW = 3;
    private static final int VERSION = 3;

    private final Asker broker;

    private AclScript(String bootstrap) throws Exception {
        broker = new Asker(bootstrap);
    }

    public static void main(String[] args) throws Exception {
        if (args.length != 1) {
            System.err.println("usage: AclScript BOOTSTRAP");
            System.exit(2);
        }
        new AclScript(args[0]).play();
    }

    private static CreateAclsRequestData.AclCreation acl(int type, int pattern, String name, String principal, String host, int operation,
        int permission) {
        return new CreateAclsRequestData.AclCreation().setResourceType((byte) type).setResourcePatternType((byte) pattern).setResourceName(name)
            .setPrincipal(principal).setHost(host).setOperation((byte) operation).setPermissionType((byte) permission);
    }

    private void create(String what, CreateAclsRequestData.AclCreation... acls) throws Exception {
        broker.ask(what, new CreateAclsRequestData().setCreations(List.of(acls)), VERSION);
    }

    private void describe(String what, int type, int pattern, String name, String principal, String host, int operation, int permission)
        throws Exception {
        broker.askSettled(what, new DescribeAclsRequestData().setResourceTypeFilter((byte) type).setPatternTypeFilter((byte) pattern)
            .setResourceNameFilter(name).setPrincipalFilter(principal).setHostFilter(host).setOperation((byte) operation)
            .setPermissionType((byte) permission), VERSION);
    }

    private static DeleteAclsRequestData.DeleteAclsFilter filter(int type, int pattern, String name, String principal) {
        return new DeleteAclsRequestData.DeleteAclsFilter().setResourceTypeFilter((byte) type).setPatternTypeFilter((byte) pattern)
            .setResourceNameFilter(name).setPrincipalFilter(principal).setHostFilter(null).setOperation((byte) ANY).setPermissionType((byte) ANY);
    }

    private void delete(String what, DeleteAclsRequestData.DeleteAclsFilter... filters) throws Exception {
        broker.ask(what, new DeleteAclsRequestData().setFilters(new ArrayList<>(List.of(filters))), VERSION);
    }

    private void all(String what) throws Exception {
        describe(what, ANY, ANY, null, null, null, ANY, ANY);
    }

    private void play() throws Exception {
        all("nothing yet");
        create("several", acl(TOPIC, LITERAL, "orders", "User:anna", "*", READ, ALLOW), acl(TOPIC, LITERAL, "orders", "User:anna", "*", WRITE, ALLOW),
            acl(TOPIC, LITERAL, "orders", "User:bert", "10.0.0.1", READ, DENY), acl(TOPIC, PREFIXED, "ord", "User:*", "*", ALL, ALLOW),
            acl(TOPIC, LITERAL, "*", "User:carl", "*", READ, ALLOW), acl(GROUP, LITERAL, "team", "User:anna", "*", READ, ALLOW),
            acl(CLUSTER, LITERAL, "kafka-cluster", "User:admin", "*", ALL, ALLOW));
        create("one again", acl(TOPIC, LITERAL, "orders", "User:anna", "*", READ, ALLOW));
        all("all");
        describe("of one topic", TOPIC, LITERAL, "orders", null, null, ANY, ANY);
        describe("what matches it", TOPIC, MATCH, "orders", null, null, ANY, ANY);
        describe("of any pattern", TOPIC, ANY, "orders", null, null, ANY, ANY);
        describe("prefixes", TOPIC, PREFIXED, null, null, null, ANY, ANY);
        describe("of one user", ANY, ANY, null, "User:anna", null, ANY, ANY);
        describe("from one host", ANY, ANY, null, null, "10.0.0.1", ANY, ANY);
        describe("what is denied", ANY, ANY, null, null, null, ANY, DENY);
        describe("what allows to read", ANY, ANY, null, null, null, READ, ALLOW);
        describe("of nobody", ANY, ANY, null, "User:nobody", null, ANY, ANY);
        create("no name", acl(TOPIC, LITERAL, "", "User:anna", "*", READ, ALLOW));
        create("another cluster", acl(CLUSTER, LITERAL, "mine", "User:anna", "*", READ, ALLOW));
        create("any kind", acl(ANY, LITERAL, "x", "User:anna", "*", READ, ALLOW));
        create("any pattern", acl(TOPIC, ANY, "x", "User:anna", "*", READ, ALLOW));
        create("a match", acl(TOPIC, MATCH, "x", "User:anna", "*", READ, ALLOW));
        create("any operation", acl(TOPIC, LITERAL, "x", "User:anna", "*", ANY, ALLOW));
        create("any permission", acl(TOPIC, LITERAL, "x", "User:anna", "*", READ, ANY));
        create("no principal", acl(TOPIC, LITERAL, "x", "anna", "*", READ, ALLOW));
        create("an empty principal", acl(TOPIC, LITERAL, "x", "", "*", READ, ALLOW));
        create("one of two is wrong", acl(USER, LITERAL, "User:x", "User:anna", "*", 13, ALLOW), acl(TOPIC, LITERAL, "", "User:anna", "*", READ, ALLOW));
        all("all then");
        delete("of a group", filter(GROUP, LITERAL, "team", null));
        delete("twice the same", filter(TOPIC, LITERAL, "orders", "User:anna"), filter(TOPIC, LITERAL, "orders", null));
        delete("what matches", filter(TOPIC, MATCH, "orders", null));
        delete("nothing", filter(TOPIC, LITERAL, "nowhere", null));
        all("what is left");
        delete("everything", filter(ANY, ANY, null, null));
        all("nothing is left");
    }
}
