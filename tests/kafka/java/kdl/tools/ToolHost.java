package kdl.tools;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code ToolHost PID}: runs Kafka's tools for tests/kafka/tool until process PID has ended, since a JVM for each takes ten times as long as what it does. Prints its port. A connection asks for one
 * run: the number of words, then the words, the first a class, each with a zero byte behind it; the answer is {@code CODE BYTES BYTES}, a line, and so many bytes of stdout and of stderr.
 */
public final class ToolHost {
    private static final int WORDS_MAX = 1000;

    private ToolHost() {
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream say = System.out;
        ToolRunner runner = new ToolRunner();
        ProcessHandle.of(Long.parseLong(arguments[0])).orElseThrow().onExit().thenRun(() -> Runtime.getRuntime().halt(0));
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            say.println(server.getLocalPort());
            while (true) {
                try (Socket socket = server.accept()) {
                    answer(runner, socket);
                } catch (IOException e) {
                    e.printStackTrace(); // somebody who did not wait
                }
            }
        }
    }

    private static void answer(ToolRunner runner, Socket socket) throws IOException {
        InputStream in = new BufferedInputStream(socket.getInputStream());
        OutputStream out = socket.getOutputStream();
        int count = Integer.parseInt(word(in));
        if (count < 1 || count > WORDS_MAX) throw new IOException(count + " words");
        List<String> words = new ArrayList<>();
        while (words.size() < count) words.add(word(in));
        ToolRunner.Said said = runner.run(words.get(0), words.subList(1, count));
        out.write((said.code() + " " + said.out().length + " " + said.err().length + "\n").getBytes(StandardCharsets.UTF_8));
        out.write(said.out());
        out.write(said.err());
    }

    private static String word(InputStream in) throws IOException {
        ByteArrayOutputStream word = new ByteArrayOutputStream();
        for (int value = in.read(); value != 0; value = in.read()) {
            if (value < 0) throw new EOFException("a word without an end");
            word.write(value);
        }
        return word.toString(StandardCharsets.UTF_8);
    }
}
