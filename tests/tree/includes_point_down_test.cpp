// SPDX-License-Identifier: Apache-2.0
// The source tree keeps its rules (tests/support/source_rules.h), and each rule can fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/support/source_rules.h"
#include "tests/support/source_tree.h"

namespace chiasm::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(SourceTree, KeepsItsRules) {
  const std::vector<SourceFile> files = source_files(test::source_folder());
  std::set<std::string> folders;
  for (const SourceFile& file : files) {
    folders.insert(file.path.substr(0, file.path.find('/')));
    EXPECT_FALSE(file.text.empty()) << file.path << " is empty or cannot be read";
    for (const std::string& violation : broken_rules(file)) ADD_FAILURE() << violation;
  }
  // Files were found at all.
  for (const char* folder : {"kernels", "engine", "tests", "tools", "cmake"}) EXPECT_TRUE(folders.contains(folder));
  EXPECT_GE(files.size(), 50u);
}

// A file at `path` that includes "target" in its second line.
SourceFile including(std::string path, const std::string& target) {
  return {std::move(path), "// SPDX-License-Identifier: Apache-2.0\n#include \"" + target + "\"\n"};
}
SourceFile including_system(std::string path, const std::string& target) {
  return {std::move(path), "// SPDX-License-Identifier: Apache-2.0\n#include <" + target + ">\n"};
}

TEST(SourceRules, IncludesAreFound) {
  const std::vector<Include> found = includes_of(
      "#include \"a/b.h\"  // why\n"
      "  #  include <c.h>\n"
      "// #include \"not/this.h\"\n"
      "#if X\n#include\t<d>\n#endif\n#include MACRO\n#includes\n#include \"open");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].target, "a/b.h");
  EXPECT_TRUE(found[0].quoted);
  EXPECT_EQ(found[1].target, "c.h");
  EXPECT_FALSE(found[1].quoted);
  EXPECT_EQ(found[2].target, "d");
  EXPECT_EQ(found[2].line, 5);
}

TEST(SourceRules, ArrowsPointDown) {
  const std::vector<std::string> order{"kernels", "engine", "models", "learning_rules", "analysis", "tools"};
  // allowed[from][to]
  const std::vector<std::string> allowed{
      "+.....",  //
      "++....",  //
      "+++...",  //
      "++.+..",  //
      "+++.+.",  //
      "++++++",
  };
  for (std::size_t from = 0; from < order.size(); ++from) {
    for (std::size_t to = 0; to < order.size(); ++to) {
      const bool good = allowed[from][to] == '+';
      for (const char* kind : {"/x.h", "/deep/x.cpp", "/x.cu"}) {
        const std::string path = order[from] + kind;
        const std::string target = order[to] + "/y.h";
        EXPECT_EQ(wrong_arrows(including(path, target)).empty(), good) << path << " -> " << target;
        EXPECT_EQ(wrong_arrows(including_system(path, target)).empty(), good) << path << " -> <" << target << ">";
      }
    }
  }
  EXPECT_THAT(wrong_arrows(including("engine/x.h", "models/y.h")),
              ElementsAre("engine/x.h:2: engine/ includes models/y.h; it may include from itself and from kernels/"));
}

TEST(SourceRules, OnlyTestsAndBenchmarksKnowTests) {
  EXPECT_THAT(wrong_arrows(including("tests/x_test.cpp", "tools/y.h")), IsEmpty());
  EXPECT_THAT(wrong_arrows(including("bench/x.cpp", "tests/support/y.h")), IsEmpty());
  EXPECT_THAT(wrong_arrows(including("tools/x.cpp", "tests/support/y.h")), ElementsAre(HasSubstr("tools/ includes")));
  EXPECT_THAT(wrong_arrows(including("kernels/x.cpp", "bench/y.h")), ElementsAre(HasSubstr("kernels/ includes")));
}

TEST(SourceRules, QuotedIncludesStartAtTheRoot) {
  EXPECT_THAT(relative_includes(including("kernels/x.cpp", "kernels/x.h")), IsEmpty());
  EXPECT_THAT(relative_includes(including_system("kernels/x.cpp", "vector")), IsEmpty());
  EXPECT_THAT(relative_includes(including("kernels/x.cpp", "x.h")), ElementsAre(HasSubstr("\"x.h\" is not a path")));
  EXPECT_THAT(relative_includes(including("kernels/x.cpp", "../engine/x.h")), ElementsAre(HasSubstr("not a path")));
}

TEST(SourceRules, VendorHeadersStayOutOfHeaders) {
  for (const char* target : {"oneapi/dnnl/dnnl.hpp", "dnnl.h", "cblas.h", "nlohmann/json.hpp", "nlohmann/json_fwd.hpp",
                             "CLI/CLI.hpp", "fmt/format.h", "png.h", "jpeglib.h", "zlib.h", "hdf5.h"}) {
    EXPECT_THAT(vendor_headers(including_system("engine/x.h", target)), ElementsAre(HasSubstr(target)));
    EXPECT_THAT(vendor_headers(including("engine/x.h", target)), ElementsAre(HasSubstr(target)));
    EXPECT_THAT(vendor_headers(including_system("kernels/x.cuh", target)), ElementsAre(HasSubstr(target)));
    EXPECT_THAT(vendor_headers(including_system("engine/x.cpp", target)), IsEmpty());
    EXPECT_THAT(vendor_headers(including_system("kernels/vendor/x.h", target)), IsEmpty());
  }
  EXPECT_THAT(vendor_headers(including("kernels/x.h", "kernels/vendor/y.h")),
              ElementsAre(HasSubstr("kernels/vendor/y.h")));
  EXPECT_THAT(vendor_headers(including("kernels/x.cpp", "kernels/vendor/y.h")), IsEmpty());
  EXPECT_THAT(vendor_headers(including_system("kernels/x.h", "vector")), IsEmpty());
}

TEST(SourceRules, CudaHeadersStayInCudaFiles) {
  for (const char* target : {"cuda_runtime.h", "cublasLt.h", "cudnn.h", "nvrtc.h", "nccl.h"}) {
    EXPECT_THAT(cuda_headers(including_system("kernels/x.h", target)), ElementsAre(HasSubstr(target)));
    EXPECT_THAT(cuda_headers(including_system("kernels/x.cpp", target)), ElementsAre(HasSubstr(target)));
    EXPECT_THAT(cuda_headers(including_system("kernels/x.cu", target)), IsEmpty());
    EXPECT_THAT(cuda_headers(including_system("kernels/x.cuh", target)), IsEmpty());
  }
  EXPECT_THAT(cuda_headers(including("kernels/x.cpp", "kernels/cuda/check.cuh")), ElementsAre(HasSubstr("check.cuh")));
  EXPECT_THAT(cuda_headers(including("kernels/x.cpp", "kernels/cuda/device.h")), IsEmpty());
}

TEST(SourceRules, EveryFileNamesTheLicence) {
  const std::string cpp = "// SPDX-License-Identifier: Apache-2.0\n";
  const std::string script = "# SPDX-License-Identifier: Apache-2.0\n";
  EXPECT_THAT(missing_licence({"kernels/x.cpp", cpp + "int x;\n"}), IsEmpty());
  EXPECT_THAT(missing_licence({"kernels/x.cpp", "\n" + cpp}),
              ElementsAre(HasSubstr("kernels/x.cpp:1: does not start")));
  EXPECT_THAT(missing_licence({"kernels/x.cpp", "// SPDX-License-Identifier: Apache-2.0 OR MIT\n"}),
              ElementsAre(HasSubstr("does not start")));
  EXPECT_THAT(missing_licence({"kernels/x.cpp", ""}), ElementsAre(HasSubstr("does not start")));
  EXPECT_THAT(missing_licence({"tools/x.sh", "#!/usr/bin/env bash\n" + script}), IsEmpty());
  EXPECT_THAT(missing_licence({"tools/x.sh", "#!/usr/bin/env bash\necho\n"}), ElementsAre(HasSubstr("does not start")));
  EXPECT_THAT(missing_licence({"tools/x.sh", "#!"}), ElementsAre(HasSubstr("does not start")));
  EXPECT_THAT(missing_licence({"cmake/x.cmake", script}), IsEmpty());
  EXPECT_THAT(missing_licence({"cmake/x.cmake", cpp}), ElementsAre(HasSubstr("does not start")));
}

TEST(SourceRules, FilesAreShort) {
  const auto lines = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "x\n";
    return SourceFile{"engine/x.cpp", text};
  };
  EXPECT_THAT(too_long(lines(600)), IsEmpty());
  EXPECT_THAT(too_long(lines(601)), ElementsAre("engine/x.cpp:601: has 601 lines, more than 600"));
}

TEST(SourceRules, EveryRuleIsAsked) {
  SourceFile bad{"kernels/x.h", "#include \"engine/x.h\"\n#include \"y.h\"\n#include <cblas.h>\n#include <cudnn.h>\n"};
  EXPECT_EQ(broken_rules(bad).size(), 5u);  // all but the length
  bad.text += std::string(600, '\n');
  EXPECT_EQ(broken_rules(bad).size(), 6u);
}

}  // namespace
}  // namespace chiasm::test
