package kdl.broker;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Prints COUNT ports of 127.0.0.1 that can be bound now, one per line.
 *
 * <p>They come from 20000 to 29999, below the ephemeral range: a server that a test kills and starts
 * again would otherwise find its port taken by the source port of a client that reconnects.
 */
final class FreePorts {
    private static final int FIRST = 20000;
    private static final int RANGE = 10000;

    public static void main(String[] args) throws IOException {
        int count = Integer.parseInt(args[0]);
        // All stay bound until the last is found, so that none is given out twice.
        List<ServerSocket> bound = new ArrayList<>();
        // A random start keeps test runs that begin at the same moment apart.
        int next = new Random().nextInt(RANGE);
        for (int tried = 0; tried < RANGE && bound.size() < count; tried++, next = (next + 1) % RANGE) {
            ServerSocket socket = new ServerSocket();
            try {
                socket.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), FIRST + next));
                bound.add(socket);
            } catch (IOException taken) {
                socket.close();
            }
        }
        if (bound.size() < count) {
            System.err.println("FreePorts: fewer than " + count + " free ports in 20000-29999");
            System.exit(1);
        }
        for (ServerSocket socket : bound) {
            System.out.println(socket.getLocalPort());
            socket.close();
        }
    }
}
