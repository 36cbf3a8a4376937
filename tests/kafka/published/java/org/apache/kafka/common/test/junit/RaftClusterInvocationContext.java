package org.apache.kafka.common.test.junit;

import java.util.List;
import java.util.stream.Collectors;
import kdl.published.OneBroker;
import org.apache.kafka.common.test.api.ClusterConfig;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;

/**
 * Takes the place of the class with this name in kafka-test-common-runtime, through which each test of Kafka's gets
 * its cluster: here it is one broker that we start.
 */
public class RaftClusterInvocationContext implements TestTemplateInvocationContext {
    private final String baseDisplayName;
    private final ClusterConfig config;
    private final boolean combined;

    public RaftClusterInvocationContext(String baseDisplayName, ClusterConfig config, boolean combined) {
        this.baseDisplayName = baseDisplayName;
        this.config = config;
        this.combined = combined;
    }

    @Override
    public String getDisplayName(int index) {
        String tags = config.displayTags().stream().sorted().collect(Collectors.joining(", "));
        return baseDisplayName + " [" + index + "] " + (combined ? "combined" : "isolated") + (tags.isEmpty() ? "" : ", " + tags);
    }

    @Override
    public List<Extension> getAdditionalExtensions() {
        OneBroker cluster = new OneBroker(config, combined);
        BeforeEachCallback before = context -> {
            cluster.prepare();
            if (config.isAutoStart()) cluster.start();
        };
        AfterTestExecutionCallback after = context -> cluster.stop();
        // Where a set-up of the test's own fails, nothing is executed that "after" could follow.
        AfterEachCallback last = context -> cluster.stop();
        return List.of(before, after, last, new ClusterInstanceParameterResolver(cluster));
    }
}
