# names.pl - what the students of a class are called
#
# Usage: perl -0 grade/names.pl < ENTRIES        prints a name for each entry of the folder of submissions; an entry is "d" (a folder) or "f" and its name, and ends with a NUL
#        perl grade/names.pl NAME < NAMES        prints up to three of the names (one a line) that look like NAME
#
# A student's name is that of the entry without the suffix of an archive, where no other entry claims that name. It becomes a folder's name, a field of a table and a
# link, so what is not to be seen in it is written %XX, as in a link, and it has at most 200 bytes.
use strict;
use warnings;
use Encode;
use Digest::SHA 'sha256_hex';

sub distance {
    my ($from, $to) = @_;
    my @row = 0 .. length $to;
    for my $i (1 .. length $from) {
        my @next = ($i);
        for my $j (1 .. length $to) {
            my $best = $row[$j - 1] + (substr($from, $i - 1, 1) ne substr($to, $j - 1, 1));
            for ($row[$j] + 1, $next[$j - 1] + 1) { $best = $_ if $_ < $best }
            push @next, $best;
        }
        @row = @next;
    }
    return $row[-1];
}

sub printable {
    my ($bytes) = @_;
    my $text = eval { decode('UTF-8', $bytes, Encode::FB_CROAK | Encode::LEAVE_SRC) };
    if (defined $text) {
        $text =~ s/([%\p{C}\x{2028}\x{2029}])/join '', map { sprintf '%%%02X', $_ } unpack 'C*', encode('UTF-8', $1)/ge;
        return encode('UTF-8', $text);
    }
    $bytes =~ s/([^ -\$&-~])/sprintf '%%%02X', ord $1/ge;
    return $bytes;
}

if (@ARGV) {
    my $wanted = lc decode('UTF-8', shift);
    chomp(my @names = <STDIN>);
    my %far = map { my $name = lc decode('UTF-8', $_); $_ => index($name, $wanted) >= 0 ? 0 : distance($wanted, $name) } @names;
    my @near = grep { $far{$_} <= 2 + length($wanted) / 3 } sort { $far{$a} <=> $far{$b} || $a cmp $b } @names;
    print join ', ', splice @near, 0, 3;
} else {
    my (@all, %claims);
    while (<STDIN>) {
        chomp;
        my ($type, $entry) = /^(.)(.*)$/s;
        my $short = $entry;
        $short =~ s/\.(zip|tar|tar\.[a-z0-9]+|tgz|tbz2?|txz|7z|rar)$//i if $type eq 'f';
        push @all, [$entry, $short];
        $claims{$_}++ for $entry, $short eq $entry ? () : $short;
    }
    for (@all) {
        my ($entry, $short) = @$_;
        my $name = printable($claims{$short} == 1 && $short ne '' ? $short : $entry);
        $name = substr($name, 0, 150) =~ s/[^ -~]*\z//r . '%' . substr(sha256_hex($entry), 0, 12) if length $name > 200;
        print "$name\n";
    }
}
