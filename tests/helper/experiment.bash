# experiment.bash - what the tests of the experiment on head-of-line blocking share

HOL=05-unordered-streams

setup() {
    for tool in gnuplot jq tc; do
        type -P "$tool" >/dev/null || [[ -x /usr/sbin/$tool ]] || skip "$tool is not installed (lab/setup hol)"
    done
}

# copy_course - a copy in $BATS_TEST_TMPDIR/course: results are not to replace those of the user
copy_course() {
    course=$BATS_TEST_TMPDIR/course
    mkdir "$course"
    cp -r "$TREE"/{"$HOL",common,lab,bench,Makefile} "$course"
}
