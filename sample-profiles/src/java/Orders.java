import java.io.*;
import java.util.*;
import java.util.concurrent.*;

/** A small order service: prices orders, encodes them, and stores them under one lock. The property `slow` prices each order by a scan. */
public class Orders {
    record Item(String sku, int count, long cents) {}

    static final Map<String, Long> prices = new HashMap<>();
    static final List<String> list = new ArrayList<>();
    static final Object store = new Object();
    static final List<byte[]> stored = new ArrayList<>();
    static final boolean slow = Boolean.getBoolean("slow");

    static long price(String sku) {
        if (!slow) return prices.get(sku);
        for (String known : list) if (known.equals(sku)) return prices.get(known);
        return 0;
    }

    static long total(List<Item> items) {
        long sum = 0;
        for (Item item : items) sum += item.count() * price(item.sku());
        return sum;
    }

    static byte[] encode(List<Item> items, long total) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        for (Item item : items) { out.writeUTF(item.sku()); out.writeInt(item.count()); out.writeLong(item.cents()); }
        out.writeLong(total);
        return bytes.toByteArray();
    }

    static void keep(byte[] order) {
        synchronized (store) {
            stored.add(order);
            if (stored.size() > 2000) stored.subList(0, 1000).clear();
        }
    }

    static void serve(long seed, int orders) {
        Random random = new Random(seed);
        try {
            for (int order = 0; order < orders; order++) {
                List<Item> items = new ArrayList<>();
                for (int at = 0; at < 12; at++) items.add(new Item("sku-" + random.nextInt(600), 1 + random.nextInt(5), random.nextInt(10_000)));
                keep(encode(items, total(items)));
                if (random.nextInt(4000) == 0) Thread.sleep(20);
            }
        } catch (Exception error) { throw new RuntimeException(error); }
    }

    public static void main(String[] args) throws Exception {
        for (int at = 0; at < 600; at++) { prices.put("sku-" + at, 100L + at); list.add("sku-" + at); }
        int orders = Integer.parseInt(args[0]);
        ExecutorService pool = Executors.newFixedThreadPool(2);
        for (int worker = 0; worker < 2; worker++) { long seed = worker; pool.submit(() -> serve(seed, orders)); }
        pool.shutdown();
        pool.awaitTermination(1, TimeUnit.HOURS);
    }
}
