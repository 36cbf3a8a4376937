package kdl.estate;

/** Topics and groups with related traits: first all parts say what will be true, then all make it so. */
interface Part {
    void declare(World world, Truth truth);

    void make(World world) throws Exception;
}
