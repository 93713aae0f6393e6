<?php
require 'Composer/Semver/autoload.php';

$parser = new Composer\Semver\VersionParser();
while (($line = fgets(STDIN)) !== false) {
    try {
        [$first, $second] = array_map([$parser, 'normalize'], explode("\t", rtrim($line, "\n")));
        $branches = str_starts_with($first, 'dev-') && str_starts_with($second, 'dev-');
        echo $branches ? strcmp($first, $second) <=> 0 : version_compare($first, $second), "\n";
    } catch (UnexpectedValueException) {
        echo "!\n";
    }
}
