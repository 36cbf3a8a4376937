package kdl.published;

import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/** Ends those invocations of Kafka Streams' tests as not applicable that ask for a group of the streams protocol (KIP-1071), which is a matter of its own. */
public final class StreamsGroups implements InvocationInterceptor {
    private static final Pattern SWITCH = Pattern.compile("useNewProtocol|streams(Rebalance)?ProtocolEnabled");

    @Override
    public void interceptTestTemplateMethod(Invocation<Void> invocation, ReflectiveInvocationContext<Method> context, ExtensionContext extension) throws Throwable {
        if (context.getTargetClass().getPackageName().startsWith("org.apache.kafka.streams") && asksForOne(context.getExecutable(), context.getArguments())) {
            invocation.skip();
            throw OneBroker.notApplicable("asks for a streams group");
        }
        invocation.proceed();
    }

    private static boolean asksForOne(Method method, List<Object> arguments) {
        for (int i = 0; i < arguments.size(); i++) {
            Parameter parameter = method.getParameters()[i];
            Object value = arguments.get(i);
            if (Boolean.TRUE.equals(value) && SWITCH.matcher(parameter.getName()).matches()) return true;
            if (value instanceof String text && parameter.getName().startsWith("groupProtocol") && text.equalsIgnoreCase("streams")) return true;
        }
        return false;
    }
}
