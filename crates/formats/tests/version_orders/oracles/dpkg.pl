use strict;
use Dpkg::Version;

while (<STDIN>) {
    chomp;
    my ($first, $second) = map { Dpkg::Version->new($_, check => 1) } split /\t/, $_, -1;
    print defined $first && defined $second ? $first <=> $second : "!", "\n";
}
