import java.io.BufferedReader;
import java.io.InputStreamReader;
import org.apache.maven.artifact.versioning.ComparableVersion;

class Maven {
    static int compare(String first, String second) {
        return Integer.signum(new ComparableVersion(first).compareTo(new ComparableVersion(second)));
    }

    public static void main(String[] arguments) throws Exception {
        // Maven 4 orders these the other way.
        if (compare("4.0.Final", "4.0.Final-1") >= 0) System.exit(1);
        var lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        var answers = new StringBuilder();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] pair = line.split("\t", -1);
            answers.append(compare(pair[0], pair[1])).append('\n');
        }
        System.out.print(answers);
    }
}
