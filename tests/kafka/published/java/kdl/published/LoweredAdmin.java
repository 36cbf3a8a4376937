package kdl.published;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Collection;
import java.util.List;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/** An admin client that creates topics with one copy where several are asked for. */
final class LoweredAdmin {
    private LoweredAdmin() {}

    static Admin of(Admin real, boolean lowers) {
        if (!lowers) return real;
        return (Admin) Proxy.newProxyInstance(Admin.class.getClassLoader(), new Class<?>[] {Admin.class}, (proxy, method, arguments) -> {
            if (method.getName().equals("createTopics")) arguments[0] = lowered((Collection<?>) arguments[0]);
            try {
                return method.invoke(real, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        });
    }

    private static List<NewTopic> lowered(Collection<?> topics) {
        return topics.stream().map(topic -> lowered((NewTopic) topic)).toList();
    }

    private static NewTopic lowered(NewTopic topic) {
        if (topic.replicasAssignments() != null) throw OneBroker.notApplicable("needs cluster: assigns replicas to brokers");
        if (topic.replicationFactor() <= 1) return topic;
        NewTopic one = new NewTopic(topic.name(), topic.numPartitions() < 0 ? java.util.Optional.empty() : java.util.Optional.of(topic.numPartitions()),
            java.util.Optional.of((short) 1));
        return topic.configs() == null ? one : one.configs(topic.configs());
    }
}
