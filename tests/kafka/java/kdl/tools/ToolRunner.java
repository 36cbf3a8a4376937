package kdl.tools;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's command-line tools one after the other in this JVM, as if each had one of its own. A process has one of these, made before any tool's class is loaded, since Scala's tools keep the
 * streams that they find.
 */
public final class ToolRunner {
    /** What a tool wrote, and the code that it ended with. */
    public record Said(int code, byte[] out, byte[] err) {
        public String text() {
            return new String(out, StandardCharsets.UTF_8) + new String(err, StandardCharsets.UTF_8);
        }
    }

    private static final class Exited extends RuntimeException {
        private static final long serialVersionUID = 1;

        Exited(String message) {
            super(message);
        }
    }

    /** A stream of the process, which goes where it is told. */
    private static final class Switch extends OutputStream {
        private volatile OutputStream to;

        Switch(OutputStream to) {
            this.to = to;
        }

        @Override
        public void write(int value) {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            try {
                to.write(bytes, offset, length);
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }

    private final Switch out = new Switch(System.out);
    private final Switch err = new Switch(System.err);
    private final OutputStream realOut = System.out;
    private final OutputStream realErr = System.err;
    /** Of the first exit: some tools catch the exception that stands for it, and exit once more. */
    private volatile Integer code;

    public ToolRunner() {
        Exit.Procedure exit = (code, message) -> {
            if (this.code == null) this.code = code;
            throw new Exited(message);
        };
        Exit.setExitProcedure(exit);
        Exit.setHaltProcedure(exit);
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
    }

    public synchronized Said run(String className, List<String> words) {
        ByteArrayOutputStream said = new ByteArrayOutputStream(), complained = new ByteArrayOutputStream();
        code = null;
        out.to = said;
        err.to = complained;
        try {
            Class.forName(className).getMethod("main", String[].class).invoke(null, (Object) words.toArray(new String[0]));
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Exited) {
                if (e.getCause().getMessage() != null) System.err.println(e.getCause().getMessage());
            } else {
                e.getCause().printStackTrace();
                code = 1;
            }
        } catch (ReflectiveOperationException e) {
            System.err.println("no tool: " + e);
            code = 1;
        } finally {
            System.out.flush();
            System.err.flush();
            out.to = realOut;
            err.to = realErr;
        }
        return new Said(code == null ? 0 : code, said.toByteArray(), complained.toByteArray());
    }
}
